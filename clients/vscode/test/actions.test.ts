import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ACTIONS_IN_PALETTE, entries } from "../src/actions";

interface Command {
  command: string;
}

const { contributes } = JSON.parse(readFileSync("package.json", "utf8")) as {
  contributes: { commands: Command[]; menus: { commandPalette: Command[] } };
};

test("each action of the server is an entry, in its order", () => {
  const actions = [
    { id: "fix", verb: "Fix", kind: "refactor.rewrite", shape: "replacement" },
    { id: "document", verb: "Document", kind: "refactor.rewrite.document", shape: "replacement", later: 1 },
  ];
  assert.deepEqual(entries({ tuppence: { actions } }), [
    { label: "Fix", description: "fix", id: "fix" },
    { label: "Document", description: "document", id: "document" },
  ]);
});

test("a server that names none has none", () => {
  for (const experimental of [undefined, null, {}, { tuppence: {} }]) assert.deepEqual(entries(experimental), []);
});

for (const name of [...ACTIONS_IN_PALETTE, "pickAction"]) {
  test(`the manifest has the command tuppence.${name}, in the palette`, () => {
    for (const list of [contributes.commands, contributes.menus.commandPalette]) {
      assert.ok(list.some(({ command }) => command === `tuppence.${name}`));
    }
  });
}
