import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { LanguageClient } from "vscode-languageclient/node";
import { Live } from "../src/live";
import type { RunParams } from "../src/protocol";
import { Runs } from "../src/runs";
import { Document, Editor, Position, Range, window } from "./editor";

/** A client that converts nothing: here both sides have the same positions. */
const client = {
  protocol2CodeConverter: {
    asUri: (uri: string) => uri,
    asRange: (range: Range) => range,
    asTextEdits: (edits: unknown) => Promise.resolve(edits),
  },
} as unknown as LanguageClient;
const JOINED = { undoStopBefore: false, undoStopAfter: false };
const BEGUN = { undoStopBefore: true, undoStopAfter: false };
const CLOSED = { undoStopBefore: false, undoStopAfter: true };

let live: Live;
let runs: Runs;
let editors: [Editor, Editor];

beforeEach(() => {
  runs?.dispose();
  live = new Live();
  runs = new Runs(live);
  editors = [new Editor(new Document("one.py", "before; x; after")), new Editor(new Document("two.py", "before; x; after"))];
  window.visibleTextEditors = [...editors];
});

function range(start: number, end: number): Range {
  return new Range(new Position(0, start), new Position(0, end));
}

function tell(run: string, { document }: Editor, state: RunParams["state"], outcome?: string): void {
  const params = { run, title: run, uri: document.uri, state, outcome, range: range(8, 9), line: "" };
  runs.hear(params as RunParams, client);
}

function write(run: string, { document }: Editor, at: [number, number], newText: string): Promise<unknown> {
  const { uri, version } = document;
  return live.apply({ run, uri, version, first: at[0] === 8, edits: [{ range: range(...at), newText }] }, client);
}

test("two runs that write at once keep their regions", async () => {
  const [one, two] = editors;
  let go = (): void => {};
  one.pause = new Promise((resolve) => (go = resolve));
  tell("a", one, "started");
  tell("b", two, "started");
  const slow = write("a", one, [8, 9], "one");
  await write("b", two, [8, 9], "second");
  go();
  await slow;
  assert.equal(one.document.text, "before; one; after");
  const regions = runs.active.map(({ id, region }) => [id, region]);
  assert.deepEqual(regions, [
    ["b", { start: 8, end: 14 }],
    ["a", { start: 8, end: 11 }],
  ]);
});

test("a person's change of what is being written takes the region away", () => {
  const [one] = editors;
  tell("a", one, "started");
  one.change(range(8, 9), "mine");
  assert.equal(runs.active[0]!.region, undefined);
});

test("all batches of a run are one step, which is closed at its end", async () => {
  const [one] = editors;
  tell("a", one, "started");
  await write("a", one, [8, 9], "y");
  await write("a", one, [9, 9], "z");
  tell("a", one, "ended", "kept");
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(one.edits, [["y", BEGUN], ["z", JOINED], ["", CLOSED]]);
});

test("what somebody changed since is no step of a run's", async () => {
  const [one, two] = editors;
  tell("a", one, "started");
  await write("a", one, [8, 9], "y");
  one.change(range(0, 0), "typed");
  tell("b", two, "started");
  tell("a", one, "ended", "kept");
  tell("b", two, "ended", "failed");
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([one.edits, two.edits], [[["y", BEGUN]], []]);
});

test("an answer is offered for its own file only", async () => {
  const [one, two] = editors;
  tell("a", one, "started");
  await write("a", one, [8, 9], "y");
  tell("a", one, "ended", "kept");
  const uri = (editor: Editor): never => editor.document.uri as never;
  assert.deepEqual([runs.answered, runs.answer(uri(one))?.id, runs.answer(uri(two)), runs.answer(undefined)], [true, "a", undefined, undefined]);
});
