/** A log and the lines of logrotate's configuration that rotate it. */
export interface RotationPolicy {
  readonly name: string;
  /** Whether the file is cut in its place, which destroys what is written between copy and cut. */
  readonly cuts: boolean;
  readonly directives: readonly string[];
}

/** More than any run makes. */
const KEEP = "rotate 1000";

/** As they stand in /etc/logrotate.d of a Debian machine. */
export const POLICIES: readonly RotationPolicy[] = [
  {
    name: "compress-delay",
    cuts: false,
    directives: ["daily", KEEP, "missingok", "notifempty", "compress", "delaycompress", "create"],
  },
  { name: "create", cuts: false, directives: ["weekly", KEEP, "create 0640"] },
  { name: "size", cuts: false, directives: ["size 20k", KEEP, "missingok", "create"] },
  { name: "copytruncate", cuts: true, directives: ["daily", KEEP, "copytruncate"] },
  {
    name: "copytruncate-compress",
    cuts: true,
    directives: ["daily", KEEP, "compress", "delaycompress", "copytruncate"],
  },
];

/** A file of logrotate's; the writer of logs that are renamed is told to open them anew. */
export function renderPolicy(
  { cuts, directives }: RotationPolicy,
  path: string,
  writerPid: number,
): string {
  const told = ["postrotate", `  kill -HUP ${writerPid}`, "endscript"];
  const lines = [...directives, ...(cuts ? [] : told)];
  return `${path} {\n${lines.map((line) => `  ${line}`).join("\n")}\n}\n`;
}
