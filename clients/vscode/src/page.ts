/**
 * A page to read: one webview panel that shows Markdown, which may still be growing. Its policy allows no network, no
 * image, no frame and no script but the few lines below, named by a nonce; what it shows has been made harmless
 * (markdown.ts).
 */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { render, renderLine } from "./markdown";
import { recall, type Shown } from "./shown";

/** Milliseconds between two updates: enough for an eye, and little work for a long text. */
const PACE = 80;
const OPTIONS: vscode.WebviewOptions = {
  enableScripts: true,
  enableCommandUris: false,
  enableForms: false,
  localResourceRoots: [],
};

export class Page implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private title = "";
  private markdown = "";
  private footer = "";
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param kind names the panel to the editor's menus.
   * @param column where it opens.
   */
  constructor(
    private readonly kind: string,
    private readonly column: vscode.ViewColumn,
  ) {}

  dispose(): void {
    this.panel?.dispose();
  }

  /** Show a text in place of what is shown; the focus stays where it is. */
  open(title: string, markdown: string, footer: string): void {
    this.title = title;
    this.markdown = markdown;
    this.footer = footer;
    const panel = (this.panel ??= this.create());
    panel.title = title;
    panel.reveal(panel.viewColumn ?? this.column, true);
    this.update();
  }

  /** Add to the text. */
  add(markdown: string): void {
    this.markdown += markdown;
    this.update();
  }

  /** Set the line below the text. */
  set foot(line: string) {
    this.footer = line;
    this.update();
  }

  /** Show again, in the panel that is left of it, what was shown before the window was loaded anew. */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const shown = recall(state);
    if (!shown || this.panel) {
      panel.dispose();
      return;
    }
    this.title = shown.title;
    this.markdown = shown.markdown;
    this.footer = shown.footer;
    panel.title = shown.title;
    this.panel = this.furnish(panel);
  }

  private create(): vscode.WebviewPanel {
    const place = { viewColumn: this.column, preserveFocus: true };
    return this.furnish(
      vscode.window.createWebviewPanel(this.kind, this.title, place, { ...OPTIONS, enableFindWidget: true }),
    );
  }

  private furnish(panel: vscode.WebviewPanel): vscode.WebviewPanel {
    panel.webview.options = OPTIONS;
    panel.onDidDispose(() => {
      this.panel = undefined;
      clearTimeout(this.timer);
      this.timer = undefined;
    });
    // The page says so each time when it has loaded, as it does anew when its tab comes to the front again.
    panel.webview.onDidReceiveMessage(() => this.post());
    panel.webview.html = skeleton(randomBytes(18).toString("base64"));
    return panel;
  }

  private update(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.post();
    }, PACE);
  }

  private post(): void {
    const state: Shown = { title: this.title, markdown: this.markdown, footer: this.footer };
    void this.panel?.webview.postMessage({
      title: renderLine(this.title),
      text: render(this.markdown),
      footer: renderLine(this.footer),
      state,
    });
  }
}

function skeleton(nonce: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style nonce="${nonce}">
body { max-width: 60em; padding: 0 1.5em 2em; line-height: 1.55; font-size: var(--vscode-markdown-font-size, 14px); }
pre { padding: .8em 1em; overflow-x: auto; background: var(--vscode-textCodeBlock-background); border-radius: 4px; }
code { font-family: var(--vscode-editor-font-family); font-size: .95em; }
h1 { font-size: 1.4em; font-weight: 600; }
h2, h3 { font-size: 1.1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .25em .8em; border-bottom: 1px solid var(--vscode-widget-border, #8884); text-align: left; vertical-align: top; }
th.right, td.right { text-align: right; }
th.center, td.center { text-align: center; }
th:not(:last-child), td:not(:last-child) { white-space: nowrap; }
blockquote { margin-left: 0; padding-left: 1em; border-left: 3px solid var(--vscode-textBlockQuote-border); }
footer { margin-top: 2em; opacity: .75; font-size: .92em; }
</style>
</head>
<body>
<h1 id="title"></h1>
<main id="text"></main>
<footer id="footer"></footer>
<script nonce="${nonce}">
const api = acquireVsCodeApi();
window.addEventListener("message", ({ data }) => {
  for (const id of ["title", "text", "footer"]) document.getElementById(id).innerHTML = data[id];
  api.setState(data.state);
});
api.postMessage("ready");
</script>
</body>
</html>`;
}
