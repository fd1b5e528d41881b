import { readFileSync } from "node:fs";

/** The script that hosts run, as its file has it. A module of its own, so that a bundle can hold the text. */
export const INSTALL_TEMPLATE: string = readFileSync(
  new URL("../../templates/install.sh", import.meta.url),
  "utf8",
);
