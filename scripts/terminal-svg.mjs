/**
 * Draws what commands print as a picture of a terminal: `node scripts/terminal-svg.mjs COLUMNS
 * COMMAND... > FILE`. The commands run for real, on a
 * terminal that script(1) provides; only colours, bold and dim are drawn
 * (SGR of ECMA-48), and what is wider than the picture is cut off.
 */
import { execFileSync } from "node:child_process";

const COLUMN_WIDTH = 7.8;
const LINE_HEIGHT = 19;
const PADDING = 16;
const FONT_SIZE = 13;
const COLOURS = {
  foreground: "#d7dae0",
  background: "#1d2027",
  prompt: "#7d8590",
  31: "#f47067",
  32: "#8ddb8c",
  33: "#e3b341",
  34: "#6cb6ff",
  35: "#dcbdfb",
  36: "#76e3ea",
  37: "#d7dae0",
  90: "#7d8590",
};
// oxlint-disable-next-line no-control-regex -- an escape sequence is what is looked for
const SGR = /\u001B\[([\d;]*)m/;
const DEFAULTS = { colour: COLOURS.foreground, bold: false, dim: false };

function apply(style, code) {
  if (code === 0) return DEFAULTS;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 39) return { ...style, colour: COLOURS.foreground };
  return code in COLOURS ? { ...style, colour: COLOURS[code] } : style;
}

/** Text and style of each stretch of a line; odd parts of the split are the parameters of an SGR. */
function* stretches(line) {
  let style = DEFAULTS;
  for (const [index, part] of line.split(new RegExp(SGR, "g")).entries()) {
    if (index % 2 === 0) yield { text: part, style };
    else for (const code of (part || "0").split(";")) style = apply(style, Number(code));
  }
}

function escapeXml(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function drawLine(line, row, columns) {
  const spans = [];
  let column = 0;
  for (const { text, style } of stretches(line)) {
    const shown = text.slice(0, columns - column);
    column += shown.length;
    const weight = style.bold ? ' font-weight="bold"' : "";
    const opacity = style.dim ? ' opacity="0.6"' : "";
    if (shown) {
      spans.push(`<tspan fill="${style.colour}"${weight}${opacity}>${escapeXml(shown)}</tspan>`);
    }
  }
  const y = PADDING + FONT_SIZE + row * LINE_HEIGHT;
  return `<text x="${PADDING}" y="${y}" xml:space="preserve">${spans.join("")}</text>`;
}

const [columnsText, ...commands] = process.argv.slice(2);
const columns = Number(columnsText);
if (!Number.isSafeInteger(columns) || commands.length === 0) {
  console.error("usage: node scripts/terminal-svg.mjs COLUMNS COMMAND...");
  process.exit(2);
}
const lines = commands.flatMap((command) => {
  const output = execFileSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8" });
  const rows = output.trimEnd().split(/\r?\n/);
  return [`\u001B[90m$ \u001B[0;1m${command}\u001B[0m`, ...rows, ""];
});
lines.pop();
const width = Math.ceil(columns * COLUMN_WIDTH + 2 * PADDING);
const height = lines.length * LINE_HEIGHT + 2 * PADDING;
console.log(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}">`,
    `<rect width="100%" height="100%" rx="8" fill="${COLOURS.background}"/>`,
    ...lines.map((line, row) => drawLine(line, row, columns)),
    "</svg>",
  ].join("\n"),
);
