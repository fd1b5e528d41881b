import { type Labels, LIMITS } from "@sluice/protocol";
import * as z from "zod";

/** As the protocol has it: a filter names a label without quotes. */
const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** What the collector would refuse at each connection is refused here, where it can be mended. */
export const LABELS = z
  .record(z.string(), z.string())
  .default({})
  .superRefine((labels, context) => {
    for (const [name, value] of Object.entries(labels)) {
      const message = !LABEL_NAME.test(name)
        ? "expected a name of letters, digits, _, . and -, such as env"
        : value.includes("\0") || !value.isWellFormed()
          ? "expected a text without NUL"
          : undefined;
      if (message !== undefined) {
        context.addIssue({ code: "custom", path: [name], message });
      }
    }
    if (!fitLabels(labels)) {
      context.addIssue({ code: "custom", message: TOO_MANY_LABELS });
    }
  });

export const TOO_MANY_LABELS: string = `expected at most ${LIMITS.labels} labels of ${LIMITS.labelsBytes / 1024} KiB in all, those of the agent included`;

/** Whether a stream may have them all. */
export function fitLabels(labels: Labels): boolean {
  return (
    Object.keys(labels).length <= LIMITS.labels &&
    Buffer.byteLength(JSON.stringify(labels)) <= LIMITS.labelsBytes
  );
}
