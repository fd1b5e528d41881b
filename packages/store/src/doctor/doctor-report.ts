/** One thing that was looked at. */
export interface DoctorCheck {
  /** `head`, `files`, `segments`, `streams`, `sequences`, `blocks`, `batches`, `backup`. */
  readonly name: string;
  /** What was looked at, in numbers. */
  readonly summary: string;
  /** What is wrong, the first of many; empty where nothing is. */
  readonly problems: readonly string[];
  /** How many there are, those that are not listed included. */
  readonly problemCount: number;
  /** What is worth to know and no problem. */
  readonly notes: readonly string[];
}

export interface DoctorReport {
  readonly dataDir: string;
  /** Every record was read. */
  readonly isDeep: boolean;
  readonly checks: readonly DoctorCheck[];
  readonly problems: number;
  /** One sentence. */
  readonly verdict: string;
  /** The one next thing to do; undefined where there is none. */
  readonly advice: string | undefined;
}

/** One damaged file can make for millions of lines. */
const MOST_LISTED = 20;

/** Gathers what one check finds. */
export class Findings {
  readonly name: string;
  readonly #problems: string[] = [];
  readonly #notes: string[] = [];
  #count = 0;

  constructor(name: string) {
    this.name = name;
  }

  problem(text: string): void {
    this.#count += 1;
    if (this.#problems.length < MOST_LISTED) {
      this.#problems.push(text);
    }
  }

  note(text: string): void {
    if (this.#notes.length < MOST_LISTED) {
      this.#notes.push(text);
    }
  }

  get isClean(): boolean {
    return this.#count === 0;
  }

  done(summary: string): DoctorCheck {
    return {
      name: this.name,
      summary,
      problems: this.#problems,
      problemCount: this.#count,
      notes: this.#notes,
    };
  }
}
