/**
 * Streamed edits: each batch is applied whole, to the very version that it was made for, or not at all; and all batches
 * of one run are one step of undo.
 *
 * Only an editor on the screen can join edits to one step. A document that is not shown is refused: the server then
 * brings the answer as one edit at its end, where an edit for each batch would each be a step of their own.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Applied, EditParams } from "./protocol";
import { middle } from "./trim";

export class Live {
  private readonly begun = new Set<string>();
  /** The document that a batch is being applied to now, so that others can tell our changes from the user's. */
  applying: string | undefined;

  /** Apply one batch. */
  async apply(params: EditParams, client: LanguageClient): Promise<Applied> {
    const uri = client.protocol2CodeConverter.asUri(params.uri).toString();
    const editor = vscode.window.visibleTextEditors.find((each) => each.document.uri.toString() === uri);
    if (editor?.document.version !== params.version) return { applied: false };
    const edits = await client.protocol2CodeConverter.asTextEdits(params.edits);
    const undoStopBefore = params.first || !this.begun.has(params.run);
    this.applying = uri;
    try {
      if (editor.document.version !== params.version) return { applied: false };
      // The editor checks once more, in its own process, that nothing was typed since this call.
      const applied = await editor.edit(
        (builder) => edits.forEach((edit) => builder.replace(...narrow(edit, editor.document))),
        { undoStopBefore, undoStopAfter: false },
      );
      if (applied) this.begun.add(params.run);
      return { applied };
    } catch {
      // The editor was closed meanwhile.
      return { applied: false };
    } finally {
      this.applying = undefined;
    }
  }

  /** Forget a run that has ended. */
  end(run: string): void {
    this.begun.delete(run);
  }
}

/** Return an edit without what stays as it is: a cursor in there must not run along with the stream. */
function narrow(edit: vscode.TextEdit, document: vscode.TextDocument): [vscode.Range, string] {
  const { before, after, text } = middle(document.getText(edit.range), edit.newText);
  const start = document.positionAt(document.offsetAt(edit.range.start) + before);
  const end = document.positionAt(document.offsetAt(edit.range.end) - after);
  return [new vscode.Range(start, end), text];
}
