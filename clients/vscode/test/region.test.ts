import assert from "node:assert/strict";
import { test } from "node:test";
import { grown, moved, type Change, type Region } from "../src/region";

const region: Region = { start: 10, end: 20 };

function check(name: string, move: typeof moved | typeof grown, change: Change, expected: Region | undefined): void {
  test(name, () => assert.deepEqual(move(region, change), expected));
}

function edit(rangeOffset: number, rangeLength: number, text: string): Change {
  return { rangeOffset, rangeLength, text };
}

check("a user's text before it moves it", moved, edit(3, 0, "abc"), { start: 13, end: 23 });
check("a user's text right before it moves it", moved, edit(10, 0, "abc"), { start: 13, end: 23 });
check("a user's text right after it leaves it", moved, edit(20, 0, "abc"), region);
check("a user's text in it ends it", moved, edit(11, 0, "abc"), undefined);
check("a user's deletion across its start ends it", moved, edit(8, 4, ""), undefined);
check("a user's deletion before it moves it", moved, edit(2, 8, ""), { start: 2, end: 12 });
check("our text at its end is in it", grown, edit(20, 0, "abc"), { start: 10, end: 23 });
check("our text at its start is in it", grown, edit(10, 0, "abc"), { start: 10, end: 23 });
check("our replacement of all of it keeps it", grown, edit(10, 10, "ab"), { start: 10, end: 12 });
check("our imports far above move it", grown, edit(0, 0, "import re\n"), { start: 20, end: 30 });
