import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogOutputChannel } from "vscode";
import { discreet } from "../src/discreet";

const KEY = 'sk-"quoted\\key"';
const written: unknown[][] = [];
const LEVELS = ["trace", "debug", "info", "warn", "error", "append", "appendLine", "replace"] as const;
const log = {
  name: "Tuppence",
  own() {
    return this.name;
  },
  ...Object.fromEntries(LEVELS.map((level) => [level, (...said: unknown[]) => void written.push(said)])),
};
const guarded = discreet(log as unknown as LogOutputChannel, [KEY, "", "sk"]);

for (const level of LEVELS) {
  for (const [form, said] of Object.entries({
    "as it is": `the key is ${KEY}.`,
    "in JSON": `Params: ${JSON.stringify({ initializationOptions: { keys: { A_KEY: KEY } } }, undefined, 4)}`,
    "in an object": { keys: { A_KEY: KEY } },
    "in an error": new Error(`refused: ${KEY}`),
  })) {
    test(`${level} writes no key ${form}`, () => {
      written.length = 0;
      (guarded[level] as (said: unknown) => void)(said);
      const text = String(written[0]![0]);
      assert.ok(text.includes("•••"));
      assert.ok(!text.includes("quoted"));
    });
  }
}

test("all else is written as it came", () => {
  written.length = 0;
  const error = new Error("The end.");
  guarded.error("Nothing to hide: []", error, 7, undefined);
  assert.deepEqual(written, [["Nothing to hide: []", error, 7, undefined]]);
});

test("all else of the channel is the channel's own", () => {
  assert.equal(guarded.name, "Tuppence");
  assert.equal((guarded as unknown as typeof log).own(), "Tuppence");
});
