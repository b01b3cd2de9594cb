/**
 * Streamed edits: each batch is applied whole, to the very version that it was made for, or not at all; and all batches
 * of one run are one step of undo, which nothing else joins.
 *
 * Only an editor on the screen can join edits to one step. A document that is not shown is refused: the server then
 * brings the answer as one edit at its end, where an edit for each batch would each be a step of their own.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Applied, EditParams } from "./protocol";
import { middle } from "./trim";

export class Live {
  /** The runs that write: each with its document, and with the version that its last batch made. */
  private readonly begun = new Map<string, { uri: string; version: number }>();
  /** How many batches are being applied to a document now. */
  private readonly applying = new Map<string, number>();

  /** Report whether a batch is being applied to a document now, so that others can tell our changes from the user's. */
  writes(uri: string): boolean {
    return this.applying.has(uri);
  }

  /** Apply one batch. */
  async apply(params: EditParams, client: LanguageClient): Promise<Applied> {
    const uri = client.protocol2CodeConverter.asUri(params.uri).toString();
    const editor = shown(uri);
    if (editor?.document.version !== params.version) return { applied: false };
    const edits = await client.protocol2CodeConverter.asTextEdits(params.edits);
    const undoStopBefore = params.first || !this.begun.has(params.run);
    this.count(uri, 1);
    try {
      if (editor.document.version !== params.version) return { applied: false };
      // The editor checks once more, in its own process, that nothing was typed since this call.
      const applied = await editor.edit(
        (builder) => edits.forEach((edit) => builder.replace(...narrow(edit, editor.document))),
        { undoStopBefore, undoStopAfter: false },
      );
      if (applied) this.begun.set(params.run, { uri, version: editor.document.version });
      return { applied };
    } catch {
      // The editor was closed meanwhile.
      return { applied: false };
    } finally {
      this.count(uri, -1);
    }
  }

  /** Close the step of a run that has ended, so that what is typed next is not undone together with it. */
  async end(run: string): Promise<void> {
    const last = this.begun.get(run);
    this.begun.delete(run);
    const editor = last && shown(last.uri);
    // Where anything came after the last batch, the step is closed, and this would be an empty one of its own.
    if (!editor || editor.document.version !== last.version) return;
    try {
      // An edit that changes nothing: there is no other way to set an undo stop.
      const start = new vscode.Range(0, 0, 0, 0);
      await editor.edit((builder) => builder.replace(start, ""), { undoStopBefore: false, undoStopAfter: true });
    } catch {
      // The editor was closed meanwhile.
    }
  }

  private count(uri: string, by: number): void {
    const many = (this.applying.get(uri) ?? 0) + by;
    if (many) this.applying.set(uri, many);
    else this.applying.delete(uri);
  }
}

function shown(uri: string): vscode.TextEditor | undefined {
  return vscode.window.visibleTextEditors.find((each) => each.document.uri.toString() === uri);
}

/** Return an edit without what stays as it is: a cursor in there must not run along with the stream. */
function narrow(edit: vscode.TextEdit, document: vscode.TextDocument): [vscode.Range, string] {
  const { before, after, text } = middle(document.getText(edit.range), edit.newText);
  const start = document.positionAt(document.offsetAt(edit.range.start) + before);
  const end = document.positionAt(document.offsetAt(edit.range.end) - after);
  return [new vscode.Range(start, end), text];
}
