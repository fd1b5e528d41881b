/** How many files a source watches at a time; a system has some thousands of watches for everybody. */
export class WatchBudget {
  #left: number;

  constructor(max: number) {
    this.#left = max;
  }

  /** False where there is none to be had: then the file is only looked at now and then. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  giveBack(): void {
    this.#left += 1;
  }
}
