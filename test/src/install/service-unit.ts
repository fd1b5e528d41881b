import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { RootUser } from "./debian-root.ts";

/** What a unit that is installed says of how its service is run. */
export interface ServiceUnit {
  readonly user: RootUser;
  readonly command: readonly string[];
  /** The folder under /var/lib that systemd would make. */
  readonly stateDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** As an administrator, or a package, has put it there. Groups that a system without systemd does not have are left out, as there is no journal either. */
export function readUnit(root: string, name: string): ServiceUnit {
  const places = ["etc", "usr/lib"].map((at) =>
    join(root, at, "systemd/system", `${name}.service`),
  );
  const text = readFileSync(places.find((place) => existsSync(place)) ?? places[1] ?? "", "utf8");
  const values = (key: string): string[] =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${key}=`))
      .map((line) => line.slice(key.length + 1));
  const groups = readFileSync(join(root, "etc/group"), "utf8")
    .split("\n")
    .map((line) => line.split(":")[0]);
  const asked = values("SupplementaryGroups").flatMap((value) => value.split(" "));
  return {
    user: {
      name: values("User")[0] ?? "",
      groups: [values("Group")[0] ?? "", ...asked].filter((group) => groups.includes(group)),
    },
    command: (values("ExecStart")[0] ?? "").split(" "),
    stateDirectory: `/var/lib/${values("StateDirectory")[0] ?? ""}`,
    environment: Object.fromEntries(
      values("Environment").map((pair) => pair.split("=") as [string, string]),
    ),
  };
}
