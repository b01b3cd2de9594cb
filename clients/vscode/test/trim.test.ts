import assert from "node:assert/strict";
import { test } from "node:test";
import { middle } from "../src/trim";

function check(old: string, text: string, before: number, after: number, expected: string): void {
  test(`${JSON.stringify(old)} becomes ${JSON.stringify(text)}`, () => {
    assert.deepEqual(middle(old, text), { before, after, text: expected });
  });
}

check("def f(a):\n", "def f(a, b):\n", 7, 3, ", b");
check("same", "same", 4, 0, "");
check("", "new", 0, 0, "new");
check("old", "", 0, 0, "");
check("aa", "aaa", 2, 0, "a");
check("a\r\nb", "a\r\n\r\nb", 3, 1, "\r\n");
check("a\r\n", "a\n", 1, 0, "\n");
check("a\r", "a\r\n", 1, 0, "\r\n");
check("x😀", "x😁", 1, 0, "😁");
check("😀x", "🨀x", 0, 1, "🨀");

test("the parts make the new text again, whatever the texts", () => {
  const pieces = ["a", "b", "\n", "\r\n", "\r", "😀", "😁", "🨀", " "];
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const draw = (): string => Array.from({ length: random(7) }, () => pieces[random(pieces.length)]).join("");
  for (let round = 0; round < 20_000; round++) {
    const [old, text] = [draw(), draw()];
    const { before, after, text: between } = middle(old, text);
    assert.equal(old.slice(0, before) + between + old.slice(old.length - after), text);
    for (const part of [old.slice(0, before), between, old.slice(old.length - after)]) assert.ok(part.isWellFormed());
  }
});
