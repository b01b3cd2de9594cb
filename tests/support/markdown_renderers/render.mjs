// Reads Markdown texts, one JSON string a line, and prints what renderers make of each: one JSON list of HTML a line.
//
// marked is the renderer of VS Code's hovers, in the version that VS Code brings, and in the newest; markdown-it is that
// of VS Code's preview, here with everything on that it has, links without notation included.
import { createInterface } from "node:readline";
import MarkdownIt from "markdown-it";
import { Marked } from "marked";
import { Marked as Newest } from "marked-newest";

const hover = new Marked({ gfm: true });
const newest = new Newest({ gfm: true, breaks: true });
const preview = new MarkdownIt({ html: true, linkify: true, typographer: true });
preview.linkify.set({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true });

for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  console.log(JSON.stringify([hover.parse(text), newest.parse(text), preview.render(text)]));
}
