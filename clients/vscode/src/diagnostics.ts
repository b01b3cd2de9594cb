/**
 * What all of the editor's sources say of a region, for the server: so that its checks can use the verdicts of servers
 * that it does not speak to. Ours are left out, which the server knows.
 */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import type { DiagnosticsParams, DiagnosticsResult } from "./protocol";

const OURS = "tuppence";
/** Milliseconds without a change after which diagnostics are taken to be complete. */
const QUIET = 250;
/** Milliseconds between two looks. */
const STEP = 25;
/** Milliseconds to wait at most, whatever is asked for. */
const PATIENCE = 10_000;

/** When another tool last spoke of a document: in which version of it, at what time; and what was ours by then. */
const spoken = new Map<string, { version: number | null; at: number; ours: string; others: string }>();

/** Note from now on when another tool speaks of a document. */
export function listen(): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.onDidChangeDiagnostics((event) => {
      for (const uri of event.uris) hear(uri);
    }),
    vscode.workspace.onDidCloseTextDocument((document) => spoken.delete(document.uri.toString())),
  );
}

/** Return the diagnostics, waiting for those of this version as long as the server allows. */
export async function answer(params: DiagnosticsParams, client: LanguageClient): Promise<DiagnosticsResult> {
  const uri = client.protocol2CodeConverter.asUri(params.uri);
  if (params.wait) await rested(uri, Math.min(params.wait, PATIENCE));
  const document = open(uri);
  if (!document) return { version: null, judged: null, diagnostics: [] };
  const version = document.version;
  const range = params.range ? client.protocol2CodeConverter.asRange(params.range) : undefined;
  const found = vscode.languages
    .getDiagnostics(uri)
    .filter((each) => each.source !== OURS && (!range || each.range.intersection(range)));
  const judged = spoken.get(document.uri.toString())?.version ?? null;
  return { version, judged, diagnostics: await client.code2ProtocolConverter.asDiagnostics(found) };
}

/** Take note of a change of a document's diagnostics; one of ours alone is nobody's word. */
function hear(uri: vscode.Uri): void {
  const document = open(uri);
  if (!document) return;
  const all = vscode.languages.getDiagnostics(uri);
  const ours = JSON.stringify(all.filter((each) => each.source === OURS));
  const others = JSON.stringify(all.filter((each) => each.source !== OURS));
  const last = spoken.get(uri.toString());
  const isOurs = ours !== (last?.ours ?? "[]") && others === (last?.others ?? "[]");
  const heard = isOurs ? { version: last?.version ?? null, at: last?.at ?? 0 } : { version: document.version, at: Date.now() };
  spoken.set(uri.toString(), { ...heard, ours, others });
}

function open(uri: vscode.Uri): vscode.TextDocument | undefined {
  return vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
}

/** Wait until somebody spoke of the document as it is, and then nobody for a while; or until the time is up. */
async function rested(uri: vscode.Uri, wait: number): Promise<void> {
  const end = Date.now() + wait;
  while (Date.now() < end) {
    const last = spoken.get(uri.toString());
    if (last && last.version === open(uri)?.version && Date.now() - last.at >= QUIET) return;
    await new Promise((resolve) => setTimeout(resolve, STEP));
  }
}
