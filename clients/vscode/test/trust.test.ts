import assert from "node:assert/strict";
import { test } from "node:test";
import { isOffer, restrain, type Markdown } from "../src/trust";

const RUN = "tuppence.run";
const LINK = `(command:${RUN}?%5B%7B%22action%22%3A%22explain%22%7D%5D)`;
const OFFER = `3 lines. [Explain \`mean\`]${LINK}: about $0.0011 at kimi-k2.6.`;

const ours = [
  OFFER,
  `12 lines (nested loops). [Explain \`operator[]\`]${LINK}: $0 at qwen3-0.6b.`,
  `1 line. [Explain the selection]${LINK}: no model is known yet that may answer.`,
  `3 lines. [Explain \`vector<int>::at\`]${LINK}: about $0.01 at \`z.ai/glm\`.`,
];

/** What a hover shows that holds words of a model, of a repository or of nobody that is known here. */
const foreign = [
  "",
  "The function returns the mean.",
  `It is [here]${LINK}.\n\n---\nkimi, kept: asking again is free`,
  `**Explained before the last edit: this may no longer be true.**\n\n[Next]${LINK}\n\n---\n${OFFER}`,
  `~\`[Next]${LINK}\``,
  `[a]${LINK} [b]${LINK}`,
  `[a](command:workbench.action.terminal.new) [b]${LINK}`,
  `${OFFER} ![x](https://e.vil/p.png)`,
  `${OFFER} <img src=x>`,
  `${OFFER}\n`,
  `x\n${OFFER}`,
  `x\r${OFFER}`,
  `x\u2028${OFFER}`,
  `[[x]${LINK}]${LINK}`,
  `[a](command:${RUN}XY?x)`,
  `[a](command:${RUN.replace(".", "x")}?x)`,
  `[a](command:${RUN})`,
  `[a](command:${RUN}?x "title")`,
  `[a](COMMAND:${RUN}?x)`,
  `[a]: command:${RUN}?x`,
  `\\[a]${LINK}`,
  `[a \`b]${LINK}`,
  `${"x".repeat(5000)}[a]${LINK}`,
];

for (const text of ours) test(`a link in ${JSON.stringify(text)} runs`, () => assert.ok(isOffer(text, RUN)));

for (const text of foreign) {
  test(`no link in ${JSON.stringify(text.slice(0, 80))} runs`, () => {
    const markdown: Markdown = { value: text, isTrusted: true, supportHtml: true, supportThemeIcons: true };
    restrain({ contents: [markdown] }, RUN);
    assert.deepEqual(markdown, { value: text, isTrusted: false, supportHtml: false, supportThemeIcons: false });
  });
}

test("an offer runs one command, and only where it is alone", () => {
  const alone: Markdown = { value: OFFER };
  assert.equal(restrain({ contents: [alone] }, RUN)?.contents[0], alone);
  assert.deepEqual(alone.isTrusted, { enabledCommands: [RUN] });
  const beside: Markdown[] = [{ value: OFFER }, { value: "x" }];
  restrain({ contents: beside }, RUN);
  assert.deepEqual(beside.map((each) => each.isTrusted), [false, false]);
});

test("what is no Markdown is left alone", () => {
  assert.equal(restrain(null, RUN), null);
  assert.deepEqual(restrain({ contents: ["x", { language: "py", value: 3 }, null] }, RUN), {
    contents: ["x", { language: "py", value: 3 }, null],
  });
});

test("a text made to be slow is refused at once", () => {
  for (const part of ["`", "[", "a", "`a`", "[a](", "a`"]) assert.ok(!isOffer(part.repeat(4_000 / part.length), RUN));
});
