/**
 * The bearer token that a file or a variable holds, spaces and newlines around it left out.
 * Undefined for what cannot be sent as one: nothing, several words, other than visible ASCII.
 */
export function parseToken(text: string): string | undefined {
  return /^\s*([\x21-\x7e]+)\s*$/.exec(text)?.[1];
}
