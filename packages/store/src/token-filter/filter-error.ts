/** A filter whose bytes are not what was written: the blocks it stands for may hold any word. */
export interface FilterError {
  readonly code: "filter-damaged" | "filter-newer";
  readonly detail: string;
}
