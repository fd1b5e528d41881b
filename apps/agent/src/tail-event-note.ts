import { isMisnamed, type TailEvent } from "@sluice/tail";

/** What a source says of itself, in words for the log. */
export interface TailEventNote {
  readonly level: "info" | "warn";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function describeTailEvent(event: TailEvent): TailEventNote {
  const { kind, ...fields } = event;
  const advice = event.kind === "journal-failed" ? journalAdvice(event) : undefined;
  const isWarning = event.kind === "refused" ? isMisnamed(event.reason) : TAIL_WARNINGS.has(kind);
  return {
    level: isWarning ? "warn" : "info",
    message: event.kind === "refused" ? REFUSED_MESSAGES[event.reason] : TAIL_MESSAGES[event.kind],
    fields: advice === undefined ? fields : { ...fields, advice },
  };
}

/** Where waiting alone will not mend it. */
function journalAdvice({
  code,
  detail,
}: Extract<TailEvent, { kind: "journal-failed" }>): string | undefined {
  if (code === "missing") {
    return "install the package systemd, or take the journald source out of the configuration";
  }
  if (/permission/i.test(detail)) {
    return "add the agent's user to the group systemd-journal, or give it the folder to read";
  }
  return detail.includes("No such file")
    ? "create the folder, or correct journald.directory"
    : undefined;
}

type TailEventKind = TailEvent["kind"];

const TAIL_WARNINGS: ReadonlySet<TailEventKind> = new Set([
  "gap",
  "cursor-lost",
  "unreadable",
  "failed-scan",
  "journal-gap",
  "journal-failed",
  "journal-restricted",
]);

const REFUSED_MESSAGES: Readonly<
  Record<Extract<TailEvent, { kind: "refused" }>["reason"], string>
> = {
  fifo: "is a pipe and is not read: only regular files are",
  socket: "is a socket and is not read: only regular files are",
  device: "is a device and is not read: only regular files are",
  compressed: "is compressed and only read where it holds the rest of a log that is read",
  "outside-roots":
    "leads out of the folders that may be read: add the folder that it leads into to the source's `roots`",
  "not-utf8": "is not read: its name is not UTF-8; rename it",
  "long-name": "is not read: its path is too long for a source; move it or rename it",
  "own-log": "is written by the agent itself and is not read: exclude it",
};

const TAIL_MESSAGES: Readonly<Record<Exclude<TailEventKind, "refused">, string>> = {
  unreadable: "cannot be read: give the agent's user read permission (group adm, or an ACL)",
  readable: "can be read now",
  rotated: "rotated; reading it to its end where it is now",
  truncated: "truncated; reading from its beginning",
  recovered: "the unread rest was found in a copy or an archive",
  "late-write": "a finished file has grown",
  gap: "lost before it could be read; recorded as a gap",
  "cursor-lost": "the place to read on from is not in any file",
  "failed-scan": "looking for files failed; trying again",
  "journal-gap": "entries of the journal are lost; recorded as a gap",
  "journal-failed": "journalctl failed; starting it again at the last entry",
  "journal-recovered": "the journal is read again",
  "journal-restricted":
    "only the agent's own entries of the journal can be seen: add its user to the group systemd-journal",
};
