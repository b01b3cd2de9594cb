/** What a request would send, as the server tells it, in a document that can only be read. Nothing is sent. */
import * as vscode from "vscode";
import { ExecuteCommandRequest } from "vscode-languageclient";
import type { LanguageClient } from "vscode-languageclient/node";
import { entries } from "./actions";
import { locate } from "./asking";
import { PREVIEW, type PreviewResult } from "./protocol";

const SCHEME = "tuppence-preview";

export class Preview implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly listening = [
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === SCHEME) this.texts.delete(uri.path);
    }),
  ];
  readonly onDidChange = this.changed.event;

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
    this.changed.dispose();
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "This preview is gone. Ask for it again.";
  }

  /** Ask which action, then show what it would send for the selection; the server says why, where that is nothing. */
  async show(client: LanguageClient): Promise<void> {
    const here = locate(client);
    if (!here) return;
    const items = entries(client.initializeResult?.capabilities.experimental);
    const picked = await vscode.window.showQuickPick(items, { title: "Tuppence", placeHolder: "Preview which action?" });
    if (!picked) return;
    const { uri, version, range, context } = await here;
    const argument = { action: picked.id, uri, version, range, diagnostics: context.diagnostics };
    const params = { command: PREVIEW, arguments: [argument] };
    const told = (await client.sendRequest(ExecuteCommandRequest.type, params)) as PreviewResult | null;
    if (told) await this.open(told);
  }

  private async open({ title, text }: PreviewResult): Promise<void> {
    // The path is the tab's name; a slash in it would be a folder.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `Preview: ${title.replaceAll("/", "∕")}` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }
}
