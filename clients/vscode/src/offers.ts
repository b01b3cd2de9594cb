/**
 * What is offered in the text itself, above the lines that it is about: Stop while a run is under way; Keep, Put back
 * and Again with a better model once it has answered. What can be offered, and at what price, the server's own menu
 * says; here it is only put where it is seen.
 */
import * as vscode from "vscode";
import { CodeActionRequest, CodeActionTriggerKind, type CodeAction, type Command } from "vscode-languageclient";
import type { LanguageClient } from "vscode-languageclient/node";
import { PUT_BACK, RUN } from "./protocol";
import type { Run, Runs } from "./runs";
import { label } from "./words";

/** An entry of the server's menu that belongs to one answer. */
export interface Offer {
  readonly title: string;
  readonly command: Command;
}

export class Offers implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly listening: vscode.Disposable[];
  readonly onDidChangeCodeLenses = this.changed.event;

  constructor(
    private readonly runs: Runs,
    private readonly client: () => LanguageClient | undefined,
  ) {
    this.listening = [
      this.changed,
      vscode.languages.registerCodeLensProvider([{ scheme: "file" }, { scheme: "untitled" }], this),
      runs.onDidChange(() => this.changed.fire()),
    ];
  }

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const lenses: vscode.CodeLens[] = [];
    for (const run of this.runs.at(document.uri)) {
      if (!run.region) continue;
      const at = document.lineAt(document.positionAt(run.region.start)).range;
      for (const command of run.outcome === undefined ? [stop(run)] : await this.after(run)) {
        lenses.push(new vscode.CodeLens(at, command));
      }
    }
    return lenses;
  }

  /** What the server offers about an answer. */
  async of(run: Run): Promise<{ putBack: Offer | undefined; better: Offer | undefined }> {
    const entries = await this.menu(run);
    return {
      putBack: entries.find(({ command }) => command.command === PUT_BACK && field(command, "run") === run.id),
      better: entries.find(
        ({ command }) => command.command === RUN && field(command, "again") === run.id && field(command, "above"),
      ),
    };
  }

  private async after(run: Run): Promise<vscode.Command[]> {
    const { putBack, better } = await this.of(run);
    if (!putBack) return [];
    const keep = { title: "$(check) Keep", tooltip: run.line, command: "tuppence.keepAnswer", arguments: [run.uri] };
    return [
      keep,
      { title: `$(discard) ${label(short(putBack.title, run))}`, tooltip: putBack.title, ...call(putBack) },
      ...(better ? [{ title: `$(arrow-up) ${label(short(better.title, run))}`, tooltip: better.title, ...call(better) }] : []),
    ];
  }

  private async menu(run: Run): Promise<Offer[]> {
    const client = this.client();
    const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === run.uri.toString());
    if (!client?.isRunning() || !document) return [];
    const start = client.code2ProtocolConverter.asPosition(document.positionAt(run.region?.start ?? 0));
    const entries = await client.sendRequest(CodeActionRequest.type, {
      textDocument: { uri: client.code2ProtocolConverter.asUri(run.uri) },
      range: { start, end: start },
      context: { diagnostics: [], triggerKind: CodeActionTriggerKind.Invoked },
    });
    return (entries ?? []).flatMap((entry) => {
      const command = (entry as CodeAction).command;
      return command && typeof command !== "string" ? [{ title: entry.title, command }] : [];
    });
  }
}

function stop(run: Run): vscode.Command {
  const title = `$(debug-stop) Stop${run.line ? ` · ${label(run.line)}` : ""}`;
  return { title, tooltip: run.title, command: "tuppence.stopRun", arguments: [run.id] };
}

function call({ command }: Offer): { command: string; arguments: unknown[] } {
  return { command: command.command, arguments: command.arguments ?? [] };
}

/** Return an entry's title without what it is about: that stands right below it. */
function short(title: string, run: Run): string {
  return title.endsWith(`: ${run.title}`) ? title.slice(0, -run.title.length - 2) : title;
}

function field(command: Command, name: string): unknown {
  const [first] = (command.arguments ?? []) as unknown[];
  return typeof first === "object" && first !== null ? (first as Record<string, unknown>)[name] : undefined;
}
