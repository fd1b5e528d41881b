import { realpathSync } from "node:fs";

/** How this program was started, so that it can be started again. */
export interface OwnProgram {
  /** The file that is the program: the executable, or what Node.js runs. Links are resolved. */
  readonly file: string;
  /** It carries its Node.js in itself. */
  readonly isExecutable: boolean;
  /** Absolute paths and options; a command's arguments go behind. */
  readonly command: readonly string[];
}

/** @throws the system's error where the program is no longer where it was started from */
export function ownProgram(): OwnProgram {
  const sea = process.getBuiltinModule("node:sea");
  const isExecutable = sea.isSea();
  const node = realpathSync(process.execPath);
  if (isExecutable) {
    return { file: node, isExecutable, command: [node] };
  }
  const file = realpathSync(process.argv[1] ?? "");
  return { file, isExecutable, command: [node, file] };
}
