/**
 * Which hovers may hold a link that runs a command: those in which every word is the server's own. Where a model's words
 * are in it, or anything that this file does not know, the link is dead, whatever the server made of those words. Pure.
 */

/** As much of a hover's Markdown as is looked at here. */
export interface Markdown {
  readonly value: string;
  isTrusted?: boolean | { readonly enabledCommands: readonly string[] };
  supportHtml?: boolean;
  supportThemeIcons?: boolean;
}

/** The characters of an offer that is longer than any that the server makes. */
const LONGEST = 4_000;

/** Words, with code between backticks among them, but no line break, bracket, tag or escape. */
const WORDS = String.raw`(?:[^\n\r\u2028\u2029\x60[\]<>\\]|\x60[^\n\r\x60]+\x60)*`;

/** Return whether a text is an offer: one line with one link, to the command. */
export function isOffer(text: string, command: string): boolean {
  const target = String.raw`\(command:${command.replace(/[^\w]/g, "\\$&")}\?[\w%.~-]*\)`;
  return text.length <= LONGEST && new RegExp(`^${WORDS}\\[${WORDS}\\]${target}${WORDS}$`, "u").test(text);
}

/** Let the links of an offer run one command, and everything else nothing. */
export function restrain<T extends { contents: unknown }>(hover: T | null | undefined, command: string): T | null | undefined {
  const contents: unknown[] = Array.isArray(hover?.contents) ? hover.contents : hover ? [hover.contents] : [];
  for (const each of contents) {
    if (typeof each !== "object" || each === null || typeof (each as Markdown).value !== "string") continue;
    const markdown = each as Markdown;
    markdown.isTrusted = contents.length === 1 && isOffer(markdown.value, command) ? { enabledCommands: [command] } : false;
    markdown.supportHtml = false;
    markdown.supportThemeIcons = false;
  }
  return hover;
}
