import assert from "node:assert/strict";
import { test } from "node:test";
import { recall } from "../src/shown";

const shown = { title: "Explain `mean`", markdown: "It averages.", footer: "small, $0.0002" };

test("what was shown comes back as it was", () => {
  assert.deepEqual(recall(JSON.parse(JSON.stringify(shown))), shown);
});

test("a line below may be missing", () => {
  assert.deepEqual(recall({ ...shown, footer: undefined }), { ...shown, footer: "" });
});

for (const state of [undefined, null, "text", 7, [], {}, { title: "a" }, { ...shown, title: 3 }, { ...shown, markdown: {} }]) {
  test(`${JSON.stringify(state)} is nothing that was shown`, () => assert.equal(recall(state), undefined));
}
