/**
 * Ticks the steps of the walkthrough that are done without a click in it. The editor ticks one when its context key
 * changes to true. Where the key was true already when the walkthrough was read, which may be as late as its page
 * opens, it neither ticks the step nor looks again. So a key is true for a moment only, and anew after each page that
 * may be the walkthrough's.
 */
import * as vscode from "vscode";

/** Milliseconds after which the walkthrough has been read; a slow machine takes longer. */
const WAITS = [500, 2_000, 6_000, 20_000];

export class Walkthrough implements vscode.Disposable {
  private readonly steps = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly listening = vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
    // Pages of the editor's own have no input that extensions are told of.
    if (opened.some((tab) => tab.input === undefined)) this.tick();
  });

  dispose(): void {
    this.listening.dispose();
    this.timers.forEach((timer) => clearTimeout(timer));
  }

  /** A step is done. */
  done(step: "server" | "ask"): void {
    if (this.steps.has(step)) return;
    this.steps.add(step);
    this.tick();
  }

  private tick(): void {
    for (const wait of WAITS) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        for (const step of this.steps) {
          for (const is of [true, false]) void vscode.commands.executeCommand("setContext", `tuppence.did.${step}`, is);
        }
      }, wait);
      this.timers.add(timer);
    }
  }
}
