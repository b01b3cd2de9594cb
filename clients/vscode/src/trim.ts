/**
 * The part of a replacement that really changes. Without its equal ends an edit leaves alone the cursors, marks and
 * breakpoints that lie in them. Pure; no character and no line ending is ever cut in two.
 */

export interface Middle {
  /** How many code units at the start of the old text stay. */
  readonly before: number;
  /** How many at its end stay. */
  readonly after: number;
  /** What comes between them. */
  readonly text: string;
}

/** Return what of a text changes into another. */
export function middle(old: string, text: string): Middle {
  const shorter = Math.min(old.length, text.length);
  let before = 0;
  while (before < shorter && old[before] === text[before]) before++;
  while (before && (cuts(old, before) || cuts(text, before))) before--;
  let after = 0;
  while (after < shorter - before && old.at(-1 - after) === text.at(-1 - after)) after++;
  while (after && (cuts(old, old.length - after) || cuts(text, text.length - after))) after--;
  return { before, after, text: text.slice(before, text.length - after) };
}

/** Report whether an offset lies inside a character or a line ending. */
function cuts(text: string, at: number): boolean {
  const [left, right] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return (left === 0x0d && right === 0x0a) || (left >= 0xd800 && left < 0xdc00 && right >= 0xdc00 && right < 0xe000);
}
