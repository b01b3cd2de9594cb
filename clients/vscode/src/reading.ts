/** The panel that explanations stream into: one panel, the latest explanation in it, over a reload of the window too. */
import * as vscode from "vscode";
import { Page } from "./page";
import type { ExplanationParams } from "./protocol";
import type { Runs } from "./runs";

const KIND = "tuppence.explanation";

export class Reading implements vscode.Disposable {
  private readonly page = new Page(KIND, vscode.ViewColumn.Beside);
  private readonly listening: vscode.Disposable[];
  private run: string | undefined;

  constructor(runs: Runs) {
    this.listening = [
      this.page,
      vscode.window.registerWebviewPanelSerializer(KIND, {
        deserializeWebviewPanel: (panel, state) => Promise.resolve(this.page.restore(panel, state)),
      }),
      runs.onDidChange((run) => {
        if (run.id === this.run && run.line) this.page.foot = run.line;
      }),
    ];
  }

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
  }

  /** Take the next piece. */
  add({ run, title, markdown, restart }: ExplanationParams): void {
    if (run !== this.run || restart) {
      this.run = run;
      this.page.open(title, "", "");
    }
    this.page.add(markdown);
  }
}
