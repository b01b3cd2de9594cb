/**
 * What a page shows, as it is kept over a reload of the window. The editor keeps it and hands it back; it is read as
 * anything from outside is. Pure.
 */

/** Characters of a text that are kept; no explanation is as long. */
const LONGEST = 200_000;

export interface Shown {
  title: string;
  markdown: string;
  /** The line below the text. */
  footer: string;
}

/** Return what a kept state holds, undefined where it holds no text. */
export function recall(state: unknown): Shown | undefined {
  const title = text(state, "title");
  const markdown = text(state, "markdown");
  return title && markdown ? { title, markdown, footer: text(state, "footer") } : undefined;
}

function text(state: unknown, name: keyof Shown): string {
  const found = typeof state === "object" && state !== null ? (state as Record<string, unknown>)[name] : undefined;
  return typeof found === "string" ? found.slice(0, LONGEST) : "";
}
