/**
 * The panel that explanations stream into: one panel, with the explanation in it that began last, over a reload of the
 * window too.
 */
import * as vscode from "vscode";
import { Page } from "./page";
import type { ExplanationParams } from "./protocol";
import type { Runs } from "./runs";

const KIND = "tuppence.explanation";

export class Reading implements vscode.Disposable {
  private readonly page = new Page(KIND, vscode.ViewColumn.Beside);
  private readonly listening: vscode.Disposable[];
  /** The runs that are being written, not all of them in the panel. */
  private readonly writing = new Set<string>();
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
  add({ run, title, markdown, restart, done }: ExplanationParams): void {
    const begins = !this.writing.has(run);
    if (begins) this.run = run;
    if (run === this.run) {
      if (begins || restart) this.page.open(title, "", "");
      this.page.add(markdown);
    }
    if (done) this.writing.delete(run);
    else this.writing.add(run);
  }
}
