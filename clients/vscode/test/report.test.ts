import assert from "node:assert/strict";
import { test } from "node:test";
import { render } from "../src/markdown";
import { write, type Report } from "../src/report";

const amount = (usd: string) => ({ usd, display: `$${usd}` });
const report: Report = {
  schema: 1,
  session: null,
  today: amount("0.0417"),
  month: amount("1.2042"),
  saved: amount("0.3118"),
  estimated: amount("0"),
  requests: 31,
  unknown: 2,
  byModel: [],
  byTier: [],
  last: null,
};
const window = {
  days: 30,
  spent: amount("2"),
  saved: amount("9"),
  estimated: amount("0.5"),
  requests: 64,
  unknown: 0,
  byModel: [{ name: "mine/small_v2", ...amount("2") }],
  byTier: [{ name: "budget", ...amount("2") }],
};
const recent = ["first", "second"].map((reason) => ({
  at: "2026-11-21T10:00:00+00:00",
  action: "fix",
  model: "mine/small_v2",
  cost: amount("0.0011"),
  estimated: true,
  outcome: "kept",
  reason,
}));

test("the last accounts alone make a report", () => {
  const html = render(write(report, String));
  assert.match(html, /<td>today<\/td>\n<td[^>]*>\$0\.0417<\/td>\n<td[^>]*>\$0\.3118<\/td>\n<td[^>]*>31<\/td>/);
  assert.match(html, /Requests of unknown price today, which are in no sum: 2\./);
});

test("the window and the last requests stand in it, newest first", () => {
  const html = render(write({ ...report, window, recent }, () => "10:00"));
  assert.match(html, /<td>30 days<\/td>/);
  assert.match(html, /<td>mine\/small_v2<\/td>\n<td[^>]*>\$2<\/td>/);
  assert.ok(html.indexOf("second") < html.indexOf("first"));
  assert.match(html, /<td[^>]*>~\$0\.0011<\/td>/);
});
