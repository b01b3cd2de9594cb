/** What the palette asks the server: one action on the selection, or whatever the server's menu offers there. */
import * as vscode from "vscode";
import {
  CodeActionRequest,
  CodeActionTriggerKind,
  ExecuteCommandRequest,
  type CodeAction,
  type CodeActionContext,
  type Range,
} from "vscode-languageclient";
import type { LanguageClient } from "vscode-languageclient/node";
import { entries } from "./actions";
import { RUN } from "./protocol";
import { label } from "./words";

/** Ask for one action on the selection of the active editor. */
export async function ask(action: string, client: LanguageClient): Promise<void> {
  const here = locate(client);
  if (!here) return;
  const { uri, version, range, context } = await here;
  const argument = { action, uri, version, range, diagnostics: context.diagnostics };
  await client.sendRequest(ExecuteCommandRequest.type, { command: RUN, arguments: [argument] });
}

/** Ask for an action that is picked from the server's own list; from its menu where the server names none. */
export async function pickAction(client: LanguageClient): Promise<void> {
  const items = entries(client.initializeResult?.capabilities.experimental);
  if (!items.length) return choose(client);
  const picked = await vscode.window.showQuickPick(items, { title: "Tuppence", placeHolder: "Run which action?" });
  if (picked) await ask(picked.id, client);
}

/** Show all that the server offers for the selection, and do what is picked. */
export async function choose(client: LanguageClient): Promise<void> {
  const here = locate(client);
  if (!here) return;
  const { uri, range, context } = await here;
  const entries = await client.sendRequest(CodeActionRequest.type, { textDocument: { uri }, range, context });
  const items = (entries ?? []).flatMap((entry) => {
    const action = entry as CodeAction;
    return action.disabled || (!action.command && !action.edit) ? [] : [{ label: label(action.title), action }];
  });
  const picked = await vscode.window.showQuickPick(items, { title: "Tuppence", placeHolder: "What with this code?" });
  if (!picked) return;
  const { edit, command } = picked.action;
  if (edit) await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(edit));
  if (command) {
    const params = { command: command.command, arguments: command.arguments ?? [] };
    await client.sendRequest(ExecuteCommandRequest.type, params);
  }
}

export interface Place {
  uri: string;
  version: number;
  range: Range;
  context: CodeActionContext;
}

/** Return where the person is; say what is missing where that is nowhere. */
export function locate(client: LanguageClient): Promise<Place> | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor || !["file", "untitled"].includes(editor.document.uri.scheme)) {
    void vscode.window.showInformationMessage("Open a file and put the cursor in its code.");
    return undefined;
  }
  return read(editor, client);
}

async function read({ document, selection }: vscode.TextEditor, client: LanguageClient): Promise<Place> {
  const convert = client.code2ProtocolConverter;
  const found = vscode.languages.getDiagnostics(document.uri).filter((each) => each.range.intersection(selection));
  return {
    uri: convert.asUri(document.uri),
    version: document.version,
    range: convert.asRange(selection),
    context: { diagnostics: await convert.asDiagnostics(found), triggerKind: CodeActionTriggerKind.Invoked },
  };
}
