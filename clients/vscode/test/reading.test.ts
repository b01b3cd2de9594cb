import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { Live } from "../src/live";
import { Reading } from "../src/reading";
import { Runs } from "../src/runs";
import { sent, type Sent } from "./editor";

const runs = new Runs(new Live());
const reading = new Reading(runs);

beforeEach(() => void (sent.length = 0));
after(() => {
  reading.dispose();
  runs.dispose();
});

function say(run: string, markdown: string, more: { done?: boolean; restart?: boolean } = {}): void {
  reading.add({ run, title: `Explain ${run}`, markdown, done: false, ...more });
}

async function shown(): Promise<Sent> {
  await new Promise((resolve) => setTimeout(resolve, 120));
  return sent.at(-1)!;
}

test("of two that are written at once the one that began last is shown, whole", async () => {
  say("a", "A begins, ");
  say("b", "B begins, ");
  say("a", "A goes on, ");
  say("b", "B ends.", { done: true });
  say("a", "", { done: true });
  const { title, text } = await shown();
  assert.deepEqual([title, text], ["Explain b", "<p>B begins, B ends.</p>\n"]);
});

test("one that begins anew leaves nothing of what it said", async () => {
  say("c", "Wrong. ");
  say("c", "Right.", { restart: true });
  say("c", "", { done: true });
  assert.equal((await shown()).text, "<p>Right.</p>\n");
});

test("the next one takes the panel", async () => {
  say("d", "One.", { done: true });
  say("e", "Another.", { done: true });
  const { title, text } = await shown();
  assert.deepEqual([title, text], ["Explain e", "<p>Another.</p>\n"]);
});
