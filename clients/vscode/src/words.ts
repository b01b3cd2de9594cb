/**
 * Words of others in the editor's own places. The server's are safe already; what a program printed or an error says
 * comes from elsewhere, and what only this editor does with a text, such as icons, the server does not know. Pure.
 */

/** What shows nothing, but line ends, and one joiner or selector at a time, which scripts and emoji need. */
const HIDDEN =
  /(?!\n|(?<![\u200c\u200d\ufe0e\ufe0f])[\u200c\u200d\ufe0e\ufe0f]|(?<=\ufe0f)\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{DI}\p{NChar}\u2800]/gu;

/** Return a text for a message: nothing hidden in it, and no link. */
export function message(text: string): string {
  const seen = text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ");
  const shown = seen.replace(HIDDEN, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
  return shown.replace(/\]\(/g, "] (");
}

/** Return a text for a label (the status bar, a code lens, a list), where `$(name)` would be an icon. */
export function label(text: string): string {
  return message(text).replace(/\n/g, " ").replace(/\$\(/g, "$ (");
}
