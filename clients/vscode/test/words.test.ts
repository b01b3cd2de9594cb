import assert from "node:assert/strict";
import { test } from "node:test";
import { label, message } from "../src/words";

/** The pattern by which the editor finds links in a notification. */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/gi;

test("a message holds no link and nothing hidden", () => {
  for (const text of [
    "[Retry](command:workbench.action.quit)",
    "[a](HTTPS://evil.example 'title')",
    "[a]\u200b(command:x)",
    "\u001b[2J\u202e\u009b\u0007\r\n\u2028[x](file:///etc/passwd)",
    "\u{e0041}\ufeff[a](command:x)",
  ]) {
    for (const shown of [message(text), label(text)]) {
      assert.doesNotMatch(shown, LINK);
      assert.doesNotMatch(shown.replace(/\n/g, ""), LINK);
      assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028\ufeff\u{e0041}]/u);
    }
  }
});

test("what is ignored, blank, private or no character is visible", () => {
  const hidden = ["\u3164", "\u115f", "\uffa0", "\u034f", "\u2800", "\ue000", "\ufdd0", "\u{e0100}", "\ufe00", "\u{1d173}"];
  for (const char of hidden) {
    assert.equal(message(`a${char}b`), `a\\u{${char.codePointAt(0)!.toString(16)}}b`);
  }
  assert.equal(message("a\ufe0f\ufe0e\u200db"), "a\ufe0f\\u{fe0e}\\u{200d}b");
});

test("a label holds no icon and one line", () => {
  assert.equal(label("Fix: $(error) $(loading~spin)\nnow"), "Fix: $ (error) $ (loading~spin) now");
});

test("harmless words stay", () => {
  for (const text of ["Fixed `mean`: small, $0.0129.", "f(x)[0]", "Größe 👩‍👩‍👧 می‌خواهم 日本語", "❤️‍🔥 ⚠️ 1️⃣ 🏳️‍🌈", "$1 (a)"]) {
    assert.equal(message(text), text);
    assert.equal(label(text), text);
  }
});
