/**
 * A page that the server wrote, such as the cost report: one webview panel that runs no script and reaches no network;
 * the page's own policy says so too.
 */
import * as vscode from "vscode";

export class Sheet implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;

  /**
   * @param kind names the panel to the editor's menus.
   * @param title stands on its tab.
   */
  constructor(
    private readonly kind: string,
    private readonly title: string,
  ) {}

  dispose(): void {
    this.panel?.dispose();
  }

  /** Show a page in place of what is shown. */
  open(html: string): void {
    const panel = (this.panel ??= this.create());
    panel.webview.html = html;
    panel.reveal(panel.viewColumn ?? vscode.ViewColumn.Active, true);
  }

  private create(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel(
      this.kind,
      this.title,
      { viewColumn: vscode.ViewColumn.Active, preserveFocus: true },
      { enableScripts: false, enableCommandUris: false, enableForms: false, localResourceRoots: [], enableFindWidget: true },
    );
    panel.onDidDispose(() => (this.panel = undefined));
    return panel;
  }
}
