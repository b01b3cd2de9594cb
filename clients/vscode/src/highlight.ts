/** The target of each run under way, marked in every editor that shows it. */
import * as vscode from "vscode";
import type { Runs } from "./runs";

export class Highlight implements vscode.Disposable {
  private readonly mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
    borderColor: new vscode.ThemeColor("progressBar.background"),
    borderStyle: "solid",
    borderWidth: "0 0 0 2px",
    overviewRulerColor: new vscode.ThemeColor("progressBar.background"),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
  private readonly listening: vscode.Disposable[];

  constructor(private readonly runs: Runs) {
    this.listening = [
      this.mark,
      runs.onDidChange(() => this.show()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.show()),
      vscode.workspace.onDidChangeTextDocument(() => {
        if (this.runs.active.length) this.show();
      }),
    ];
  }

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
  }

  private show(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      const ranges = this.runs
        .at(document.uri)
        .filter((run) => run.outcome === undefined && run.region)
        .map(({ region }) => new vscode.Range(document.positionAt(region!.start), document.positionAt(region!.end)));
      editor.setDecorations(this.mark, ranges);
    }
  }
}
