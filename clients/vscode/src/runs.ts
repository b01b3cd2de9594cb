/**
 * The runs under way and the answers that they left, as the server tells of them, each with the place in its document
 * that it is about. What they do is the server's affair.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { Live } from "./live";
import type { RunParams } from "./protocol";
import { grown, moved, type Region } from "./region";

export interface Run {
  readonly id: string;
  /** What it does, as the menu called it. */
  readonly title: string;
  readonly uri: vscode.Uri;
  /** What it is doing now, in one line; how it ended, once it has. */
  line: string;
  /** Where its target lies now; undefined where it has none, or the user changed it. */
  region: Region | undefined;
  /** Undefined while it is under way. */
  outcome: string | undefined;
}

export class Runs implements vscode.Disposable {
  private readonly working = new Map<string, Run>();
  private readonly answers = new Map<string, Run>();
  private readonly changed = new vscode.EventEmitter<Run>();
  private readonly listening: vscode.Disposable[] = [this.changed];

  /** Told of each run that began, moved on or ended, and of each answer that is not offered any more. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly live: Live) {
    this.listening.push(
      vscode.workspace.onDidChangeTextDocument((event) => this.follow(event)),
      vscode.workspace.onDidCloseTextDocument((document) => this.forget(document.uri)),
    );
  }

  dispose(): void {
    this.listening.forEach((each) => each.dispose());
  }

  /** The runs under way, newest first. */
  get active(): readonly Run[] {
    return [...this.working.values()].reverse();
  }

  /** The runs and the answer that lie in a document. */
  at(uri: vscode.Uri): readonly Run[] {
    const answer = this.answers.get(uri.toString());
    const running = this.active.filter((run) => run.uri.toString() === uri.toString());
    return answer ? [...running, answer] : running;
  }

  /** Whether any document holds an answer. */
  get answered(): boolean {
    return this.answers.size > 0;
  }

  /** The answer that a document holds. */
  answer(uri: vscode.Uri | undefined): Run | undefined {
    return uri && this.answers.get(uri.toString());
  }

  /** Hear from the server. */
  hear(params: RunParams, client: LanguageClient): void {
    const uri = client.protocol2CodeConverter.asUri(params.uri);
    const run = this.working.get(params.run) ?? {
      id: params.run,
      title: params.title,
      uri,
      line: "",
      region: undefined,
      outcome: undefined,
    };
    run.line = params.line ?? run.line;
    const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
    if (params.range && document && (params.state === "ended" || !run.region)) {
      const { start, end } = client.protocol2CodeConverter.asRange(params.range);
      run.region = { start: document.offsetAt(start), end: document.offsetAt(end) };
    }
    if (params.state === "ended") this.finish(run, params.outcome ?? "");
    else this.begin(run);
    this.changed.fire(run);
  }

  /** Do not offer anything about a document's answer any more. */
  forget(uri: vscode.Uri): void {
    const answer = this.answers.get(uri.toString());
    if (!answer) return;
    this.answers.delete(uri.toString());
    this.changed.fire(answer);
  }

  /** The server is gone, and all that it knew. */
  clear(): void {
    const gone = [...this.working.values(), ...this.answers.values()];
    this.working.clear();
    this.answers.clear();
    gone.forEach((run) => {
      run.outcome ??= "failed";
      void this.live.end(run.id);
      this.changed.fire(run);
    });
  }

  private begin(run: Run): void {
    this.working.set(run.id, run);
    this.answers.delete(run.uri.toString());
  }

  private finish(run: Run, outcome: string): void {
    run.outcome = outcome;
    this.working.delete(run.id);
    void this.live.end(run.id);
    if (outcome === "kept") this.answers.set(run.uri.toString(), run);
  }

  private follow(event: vscode.TextDocumentChangeEvent): void {
    const uri = event.document.uri.toString();
    const ours = this.live.writes(uri);
    for (const run of this.at(event.document.uri)) {
      if (!run.region) continue;
      for (const change of event.contentChanges) {
        run.region = run.region && (ours && run.outcome === undefined ? grown : moved)(run.region, change);
      }
      // What was answered has changed: there is nothing to keep or to put back any more.
      if (!run.region && run.outcome !== undefined) this.forget(event.document.uri);
    }
  }
}
