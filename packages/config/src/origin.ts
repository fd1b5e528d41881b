/** Where a value came from. Lines and columns count from 1; the flag and the variable are written as users write them. */
export type Origin =
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "default" };

/** Prints `flag --listen`, `environment SLUICE_LISTEN`, `collector.yaml:3` or `default`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
      return `flag --${origin.flag}`;
    case "environment":
      return `environment ${origin.variable}`;
    case "file":
      return `${origin.file}:${origin.line}`;
    case "default":
      return "default";
    default:
      return origin satisfies never;
  }
}
