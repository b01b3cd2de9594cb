import assert from "node:assert/strict";
import { test } from "node:test";
import { cell, render } from "../src/markdown";

/** Whatever comes out may hold these tags and no attribute but a language's class and a column's side. */
const HARMLESS = /^(?:[^<]|<\/?(?:p|h[1-6]|pre|code|em|strong|s|ul|ol|li|blockquote|hr|br|table|thead|tbody|tr|th|td)(?: class="(?:language-[^"<>]*|left|right|center)"| start="\d+")?>)*$/;

const hostile = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[click](command:workbench.action.terminal.new)",
  "[click](javascript:alert(1))",
  "![x](https://example.com/leak?text)",
  "<https://example.com>",
  "[a][b]\n\n[b]: https://example.com",
  "https://example.com",
  "```\"><script>alert(1)</script>\ncode\n```",
  "<div onclick=x>\n\ntext",
  "| a |\n|---|\n| <iframe src=x> |",
];

for (const text of hostile) {
  test(`what comes of ${JSON.stringify(text)} can do nothing`, () => {
    const html = render(text);
    assert.match(html, HARMLESS);
    for (let end = 0; end <= text.length; end++) assert.match(render(text.slice(0, end)), HARMLESS);
  });
}

test("nothing in random Markdown lives", () => {
  const parts = [
    ..."`~[]()<>!\\:&*_-#\"' \t\n|=+$@^{}/.x",
    ...["```", "``", "~~~", "[a](http://e.vil)", "![a](http://e.vil/x.png)", "[a]: http://e.vil\n", "[a][b]", "<b>", "</b>"],
    ...["<img src=x>", "<!--", "-->", "<script>", "https://e.vil", "www.e.com", "a@b.cd", "<https://e.vil>", "&lt;", "&#91;"],
    ...["    ", "- ", "1. ", "> ", "\n\n", "\n---\n", "| a | b |\n", "|---|---|\n", "\r", "\u2028", '```"><b>\n', "{.x}", "$(zap)"],
  ];
  let seed = 20_260;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: 1 + next(18) }, () => parts[next(parts.length)]).join("");
    assert.match(render(text), HARMLESS, JSON.stringify(text));
  }
});

test("a link stays readable as it was written", () => {
  assert.equal(render("see [docs](https://example.com)"), "<p>see [docs](https://example.com)</p>\n");
});

test("a table's columns are aligned without a style, which the page's policy refuses", () => {
  const html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |");
  assert.match(html, /<th class="center">a<\/th>\s*<th class="right">b<\/th>/);
  assert.match(html, /<td class="center">1<\/td>\s*<td class="right">2<\/td>/);
});

test("code keeps its text", () => {
  assert.equal(render("```python\nif a < b:\n```"), '<pre><code class="language-python">if a &lt; b:\n</code></pre>\n');
});

test("a cell says what it was given", () => {
  const html = render(`| a |\n|---|\n| ${cell("a|b *c* <d> [e](f) `g` \n h")} |`);
  assert.match(html, /<td>a\|b \*c\* &lt;d&gt; \[e\]\(f\) `g` h<\/td>/);
});
