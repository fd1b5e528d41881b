/** A program that `npm start` runs beside itself: its log is read line by line, its end is awaited. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const STOP_WITHIN_MS = 12_000;
const KEPT_LINES = 12;
const WARN = 40;
const FATAL = 60;

/**
 * @typedef {object} Note a line of the program's log that is worth a look
 * @property {string} service
 * @property {string} text
 * @property {Record<string, unknown>} fields
 */

export class Service {
  #child;
  #ready = Promise.withResolvers();
  #exited = Promise.withResolvers();
  /** Its last words, for the case that it ends by itself. */
  #lastWords = [];
  #hasExited = false;

  /**
   * @param {string} name as it is shown
   * @param {string[]} command the program, its arguments
   * @param {(note: Note) => void} onNote warnings and errors
   */
  constructor(name, [program, ...args], onNote) {
    this.name = name;
    // A group of its own: the terminal's Ctrl-C reaches `npm start` alone, which then ends the
    // agent before the collector.
    this.#child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
      env: cleanEnvironment(),
    });
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#read(line, onNote));
    this.#child.once("error", (error) => this.#end(error.message));
    this.#child.once("close", (code, signal) => {
      this.#end(signal ? `was ended by ${signal}` : `ended with exit code ${code}`);
    });
  }

  /** Resolves when the program says that it is ready, or has ended. */
  get ready() {
    return Promise.race([this.#ready.promise, this.#exited.promise]);
  }

  /** Resolves with how it ended and what it said last: never rejects. */
  get exited() {
    return this.#exited.promise;
  }

  get hasExited() {
    return this.#hasExited;
  }

  /** Asks it to end, and insists after a while. */
  async stop() {
    if (this.#hasExited) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.#exited.promise;
    clearTimeout(timer);
  }

  kill() {
    if (!this.#hasExited) this.#child.kill("SIGKILL");
  }

  #end(how) {
    this.#hasExited = true;
    this.#exited.resolve(`the ${this.name} ${how}\n${this.#lastWords.join("\n")}`.trimEnd());
  }

  #read(line, onNote) {
    const { level, msg, time: _time, ...fields } = parseLogLine(line);
    if (msg === "ready") this.#ready.resolve(fields);
    if (level >= FATAL) {
      this.#lastWords.push(`  ${msg}`);
      if (fields.advice !== undefined) this.#lastWords.push(`  ${fields.advice}`);
      this.#lastWords.splice(0, this.#lastWords.length - KEPT_LINES);
    } else if (level >= WARN) {
      onNote({ service: this.name, text: msg, fields });
    }
  }
}

/** Variables win over the configuration; of them only those about retention are meant for this. */
function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^SLUICE_(?!RETENTION_)/.test(name)),
  );
}

/** What is no log line are the two lines of a failure at start: the program is about to end. */
function parseLogLine(line) {
  try {
    const parsed = JSON.parse(line);
    if (typeof parsed?.level === "number") return parsed;
  } catch {
    // plain text
  }
  return { level: FATAL, msg: line };
}
