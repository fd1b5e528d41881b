import { expect, test } from "vitest";

import { formatBackup } from "../src/commands/backup.ts";
import { formatDoctor } from "../src/commands/doctor.ts";
import { BACKUP, SOUND } from "./sound-store.ts";

test("doctor prints a line a check, and one verdict", () => {
  expect(formatDoctor(SOUND)).toMatchInlineSnapshot(`
    "ok    head   head.db of version 2
    ok    files  2 segments in the manifest, 2 files

    Everything is fine.
    "
  `);
});

test("doctor lists what it found, and the one next thing to do", () => {
  const [head, files] = SOUND.checks;
  const text = formatDoctor({
    ...SOUND,
    checks: [
      { ...head!, notes: ["3 in quarantine/: what could not be read, or was not known"] },
      { ...files!, problems: ["a.db: missing", "b.db: missing"], problemCount: 1002 },
    ],
    problems: 1002,
    verdict: "1002 problems found",
    advice: "restore the newest backup",
  });
  expect(text).toMatchInlineSnapshot(`
    "ok    head   head.db of version 2
          - 3 in quarantine/: what could not be read, or was not known
    FAIL  files  2 segments in the manifest, 2 files
          ! a.db: missing
          ! b.db: missing
          ! and 1,000 more

    1002 problems found.
    Next: restore the newest backup.
    "
  `);
});

test("a backup says what it holds, what it shares, and that it was read again", () => {
  expect(formatBackup(BACKUP)).toMatchInlineSnapshot(`
    "Backed up 1,234,567 records to /mnt/b in 340 ms:
    12 segments and the head, 91 MB, 90 MB of it shared with the store.
    Read again and found whole.
    "
  `);
});

test("a backup says what it lacks", () => {
  const text = formatBackup({ ...BACKUP, linkedBytes: 0, missing: ["segments/x.db"] });
  expect(text).toMatchInlineSnapshot(`
    "Backed up 1,234,567 records to /mnt/b in 340 ms:
    12 segments and the head, 91 MB.
    Missing, as in the store: segments/x.db
    Read again and found whole.
    "
  `);
});
