/** What a shipped product was built from. */
export interface BuildStamp {
  /** Of git; ends in `-dirty` where files were changed since. */
  readonly commit: string;
  /** Of that commit, YYYY-MM-DD: the same sources make the same product, whenever it is built. */
  readonly date: string;
}

/** Put in place by the bundling of a product (scripts/bundle); a checkout has none. */
export const BUILD_STAMP: BuildStamp | undefined = undefined;
