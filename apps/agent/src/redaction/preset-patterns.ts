/**
 * What the presets look for. These run on V8's engine, which backtracks, so each is written to take
 * time in proportion to the text: what repeats without bound begins only where it cannot have begun
 * before, and once it has begun it matches.
 */

const KEY =
  "(?:pass(?:word|wd|phrase|code)|pwd|secret(?:_key_base)?|(?:api|access|private|secret|signing|encryption|account)[_-]?key|token|credentials?|authorization)";
/** What looks like the value of one name may be the next name: its own value is the secret then. */
const NO_NAME = String.raw`(?!\\?["']?[\w-]{0,40}?${KEY}\\?["']?\s{0,4}(?:=>|[:=]))`;
/** A quoted value may lack its end, where the record was cut. */
const QUOTED = String.raw`\\"(?:[^"\\]|\\[^"])*(?:\\"|"|$)|"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)`;
const SCHEME = String.raw`(?:(?:bearer|basic|digest|negotiate|token|apikey)\s+)?`;

/**
 * A name that says secret, and its value: `db_password=x`, `"apiKey": "x"`, `\"token\":\"x\"`,
 * `secret => 'x'`, `Authorization: Basic x`, `--password x`. Groups: name and what stands between,
 * of a quoted name; its value; the same of a bare name.
 */
export const SECRET: RegExp = new RegExp(
  String.raw`(${KEY}\\?["']\s{0,4}(?:=>|[:=])\s{0,4})${NO_NAME}(${QUOTED}|${SCHEME}[^\s"'\\,}\][{]+)` +
    String.raw`|(${KEY}(?:\s{0,4}(?:=>|[:=])\s{0,4}|(?<=--[\w-]{1,40})\s{1,4}(?!-)))${NO_NAME}(${QUOTED}|${SCHEME}[^\s"'&\\]+)`,
  "gis",
);

/** The password in `postgres://user:password@host`. */
export const URL_PASSWORD: RegExp = /(:\/\/[^\s/:@"']{0,128}:)[^\s/@"']{1,256}(?=@)/g;

/** The local part of one in a JSON text may stand behind an escape, `\n`, which is no part of it. */
export const EMAIL: RegExp =
  /(?:(?<=\\[nrtbf])|(?<![\w.+%\\\u0080-\uffff-]))[\w.+%\u0080-\uffff-]+(?:@|%40)(?:[A-Za-z0-9\u0080-\uffff-]+\.)+[A-Za-z\u0080-\uffff]{2,}/g;

export const TOKEN: RegExp = new RegExp(
  [
    // JSON Web Tokens: a header that begins with `{"`, in base64url.
    String.raw`(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?`,
    String.raw`(?<=(?<!\w)[Bb]earer\s{1,4}|(?<!\w)BEARER\s{1,4})[\w.~+/-]{12,}=*`,
    // AWS access key ids; GitHub, GitLab, Slack, Stripe, Google, OpenAI and Anthropic, npm, PyPI.
    String.raw`(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])`,
    String.raw`(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})`,
    String.raw`(?<!\w)xox[a-z]-[\w-]{10,}|(?<!\w)xapp-[\w-]{10,}`,
    String.raw`(?<!\w)(?:[sr]k_(?:live|test)_\w{16,}|AIza[\w-]{35,}|sk-[\w-]{20,}|npm_[A-Za-z0-9]{36,}|pypi-[\w-]{32,})`,
    // A private key, as far as it is in the record.
    String.raw`-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)`,
  ].join("|"),
  "g",
);
