/**
 * The status item: today's cost and what was saved, with the last run in its hover and the report behind its click.
 * While a run is under way it shows that run, and a click stops it; a run that takes long also shows a notification
 * with a Cancel, which nobody can overlook.
 */
import * as vscode from "vscode";
import type { Amount, Cost } from "./protocol";
import type { Run, Runs } from "./runs";
import { label, message } from "./words";

/** Milliseconds after which a run is long. */
const LONG = 4_000;
/** Milliseconds for which the closing line of a run stays. */
const CLOSING = 10_000;

export type State = "absent" | "starting" | "ready" | "failed";

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("tuppence.status", vscode.StatusBarAlignment.Right, 90);
  private readonly listening: vscode.Disposable[];
  private readonly noticed = new Map<string, () => void>();
  private cost: Cost | undefined;
  private state: State = "starting";

  constructor(
    private readonly runs: Runs,
    private readonly stop: (run: string) => void,
  ) {
    this.item.name = "Tuppence";
    this.listening = [this.item, runs.onDidChange((run) => this.follow(run))];
    this.show();
    this.item.show();
  }

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
  }

  /** How the server is. */
  get server(): State {
    return this.state;
  }

  set server(state: State) {
    this.state = state;
    this.show();
  }

  /** The last accounts that the server sent. */
  get accounts(): Cost | undefined {
    return this.cost;
  }

  set accounts(cost: Cost | undefined) {
    this.cost = cost;
    this.show();
  }

  private follow(run: Run): void {
    this.show();
    if (run.outcome === undefined) {
      if (!this.noticed.has(run.id)) this.notice(run);
      return;
    }
    this.noticed.get(run.id)?.();
    if (this.noticed.delete(run.id) && run.line) vscode.window.setStatusBarMessage(label(run.line), CLOSING);
  }

  /** Show a notification with a Cancel, once a run takes long, until it ends. */
  private notice(run: Run): void {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const timer = setTimeout(() => {
      const options = { location: vscode.ProgressLocation.Notification, title: message(run.title), cancellable: true };
      void vscode.window.withProgress(options, (progress, token) => {
        token.onCancellationRequested(() => this.stop(run.id));
        progress.report({ message: message(run.line) });
        const lines = this.runs.onDidChange((each) => {
          if (each === run) progress.report({ message: message(run.line) });
        });
        return ended.finally(() => lines.dispose());
      });
    }, LONG);
    this.noticed.set(run.id, () => {
      clearTimeout(timer);
      end();
    });
  }

  private show(): void {
    const [run, ...others] = this.runs.active;
    this.item.backgroundColor = undefined;
    if (run) {
      this.item.text = `$(loading~spin) ${label(run.title)}${others.length ? ` and ${others.length} more` : ""} $(debug-stop)`;
      this.item.tooltip = plain([run.title, run.line, "Click to stop."]);
      this.item.command = "tuppence.stopRun";
      this.item.accessibilityInformation = { label: `Tuppence works: ${run.title}. Activate to stop.` };
      return;
    }
    this.item.accessibilityInformation = undefined;
    this.item.command = "tuppence.showCost";
    if (this.state === "ready" && this.cost) {
      this.item.text = `$(pulse) ${label(`${this.cost.today.display}, saved ${this.cost.saved.display}`)}`;
      this.item.tooltip = describe(this.cost);
      return;
    }
    const [text, tooltip, command] = IDLE[this.state];
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.command = command;
    if (this.state === "failed") this.item.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
  }
}

const IDLE: Record<State, [string, string, string]> = {
  absent: ["$(circle-slash) Tuppence", "Tuppence has no server yet. Click to install it.", "tuppence.installServer"],
  starting: ["$(loading~spin) Tuppence", "Tuppence's server starts. Click for its log.", "tuppence.showLog"],
  ready: ["$(pulse) Tuppence", "Tuppence is ready. Click for the cost report.", "tuppence.showCost"],
  failed: ["$(warning) Tuppence", "Tuppence's server does not run. Click for its log.", "tuppence.showLog"],
};

/** Say why nothing can be asked of the server now, and offer what helps. */
export async function excuse(state: State): Promise<void> {
  const [excuse, help, command] = EXCUSES[state];
  if (await vscode.window.showInformationMessage(excuse, help)) await vscode.commands.executeCommand(command);
}

const EXCUSES: Record<State, [string, string, string]> = {
  absent: ["Tuppence has no server yet.", "Install", "tuppence.installServer"],
  starting: ["Tuppence's server is starting. Try again in a moment.", "Show Log", "tuppence.showLog"],
  ready: ["Tuppence's server does not answer.", "Restart", "tuppence.restartServer"],
  failed: ["Tuppence's server does not run.", "Show Log", "tuppence.showLog"],
};

/** Return the accounts for the item's hover. */
function describe(cost: Cost): vscode.MarkdownString {
  const lines: string[] = [
    `Today ${spent(cost.today, cost.estimated)} in ${count(cost.requests, "request")}, this month ${cost.month.display}.`,
    `Saved today against always asking the best model: ${cost.saved.display}.`,
  ];
  if (cost.unknown) lines.push(`${count(cost.unknown, "request")} of unknown price, in no sum.`);
  if (cost.budget) {
    lines.push(`Budget: ${cost.budget.left.display} of ${cost.budget.limit.display} left ${cost.budget.period}.`);
  }
  const { last } = cost;
  if (last) {
    const about = last.estimated ? "about " : "";
    lines.push(`Last: ${last.action} by ${last.model} (${last.tier}), ${about}${last.cost.display}, ${last.outcome}.`);
    lines.push(`Why: ${last.reason}.`);
    lines.push(`Cached tokens: ${last.cachedTokens ?? "the provider did not say"}.`);
  }
  return plain([...lines, "Click for the report."]);
}

function spent(sum: Amount, estimated: Amount): string {
  return estimated.usd === "0" ? sum.display : `${sum.display} (${estimated.display} of it estimated)`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Return lines as a hover that reads nothing in them as Markdown. */
function plain(lines: readonly (string | undefined)[]): vscode.MarkdownString {
  const shown = new vscode.MarkdownString();
  lines.filter((line) => line).forEach((line, index) => {
    if (index) shown.appendMarkdown("\n\n");
    shown.appendText(line!);
  });
  return shown;
}
