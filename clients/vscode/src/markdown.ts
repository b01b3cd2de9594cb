/**
 * Markdown -> HTML that can do nothing: no tags of the writer's own, no links, no images. What a model wrote is shown
 * and never obeyed, so a link stays the text that it is written with.
 */
import MarkdownIt from "markdown-it";

const parser = new MarkdownIt("default", { html: false, linkify: false, typographer: false }).disable([
  "link",
  "image",
  "autolink",
  "reference",
]);

// The page's policy refuses a style that stands in a tag, and this is how a table's columns would be aligned.
parser.core.ruler.push("alignment", ({ tokens }) => {
  for (const token of tokens) {
    const [, side] = /^text-align:(left|right|center)$/.exec(String(token.attrGet("style") ?? "")) ?? [];
    token.attrs = token.attrs?.filter(([name]) => name !== "style") ?? null;
    if (side) token.attrJoin("class", side);
  }
});

/** Return safe HTML for a Markdown text, which may end anywhere. */
export function render(markdown: string): string {
  return parser.render(markdown);
}

/** Return safe HTML for a line of Markdown. */
export function renderLine(line: string): string {
  return parser.renderInline(line);
}

/** Return a text as one cell of a Markdown table, nothing of it read as Markdown. */
export function cell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_{}[\]<>()#+!|~-]/g, "\\$&");
}
