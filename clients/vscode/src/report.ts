/**
 * The cost report: from what `tuppence cost --json` prints, or the server's last accounts, to Markdown. Pure.
 */
import { cell } from "./markdown";
import type { Amount, Cost, Row } from "./protocol";

/** What the command prints beside the accounts themselves. */
export interface Report extends Cost {
  window?: {
    days: number;
    spent: Amount;
    saved: Amount;
    estimated: Amount;
    requests: number;
    unknown: number;
    byModel: Row[];
    byTier: Row[];
  };
  recent?: Recent[];
}

interface Recent {
  at: string;
  action: string;
  model: string;
  cost: Amount;
  estimated: boolean;
  outcome: string;
  reason: string;
}

/** Return the report as Markdown. */
export function write(report: Report, time: (at: string) => string): string {
  const { window: lately, recent } = report;
  return [
    ...sums(report),
    ...(lately ? shares(`By model, ${lately.days} days`, lately.byModel) : shares("By model, today", report.byModel)),
    ...(lately ? shares(`By tier, ${lately.days} days`, lately.byTier) : shares("By tier, today", report.byTier)),
    ...(recent?.length ? requests(recent, time) : []),
    "",
    "Saved is against asking the best model of your table every time; a negative figure cost more.",
    ...(report.unknown ? ["", `Requests of unknown price today, which are in no sum: ${report.unknown}.`] : []),
  ].join("\n");
}

function sums(report: Report): string[] {
  const rows = [["today", report.today, report.saved, report.requests, report.estimated]] as [
    string,
    Amount,
    Amount | undefined,
    number | undefined,
    Amount | undefined,
  ][];
  if (report.session) rows.push(["this session", report.session, undefined, undefined, undefined]);
  rows.push(["this month", report.month, undefined, undefined, undefined]);
  if (report.window) {
    const { days, spent, saved, requests, estimated } = report.window;
    rows.push([`${days} days`, spent, saved, requests, estimated]);
  }
  return [
    "|  | spent | saved | requests | of it estimated |",
    "|---|---:|---:|---:|---:|",
    ...rows.map(
      ([name, spent, saved, count, estimated]) =>
        `| ${cell(name)} | ${cell(spent.display)} | ${saved ? cell(saved.display) : ""} | ${count ?? ""} | ` +
        `${estimated && estimated.usd !== "0" ? cell(estimated.display) : ""} |`,
    ),
  ];
}

function shares(title: string, rows: Row[]): string[] {
  if (!rows.length) return [];
  return ["", `## ${title}`, "", "|  | spent |", "|---|---:|", ...rows.map((row) => `| ${cell(row.name)} | ${cell(row.display)} |`)];
}

function requests(recent: Recent[], time: (at: string) => string): string[] {
  return [
    "",
    "## Last requests",
    "",
    "| when | action | model | cost | outcome | why |",
    "|---|---|---|---:|---|---|",
    ...[...recent]
      .reverse()
      .map(
        ({ at, action, model, cost, estimated, outcome, reason }) =>
          `| ${[time(at), action, model, (estimated ? "~" : "") + cost.display, outcome, reason].map(cell).join(" | ")} |`,
      ),
  ];
}
