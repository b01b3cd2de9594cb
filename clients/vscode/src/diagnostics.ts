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
/** Milliseconds to wait at most, whatever is asked for. */
const PATIENCE = 10_000;

/** Return the diagnostics, waiting for fresh ones as long as the server allows. */
export async function answer(params: DiagnosticsParams, client: LanguageClient): Promise<DiagnosticsResult> {
  const uri = client.protocol2CodeConverter.asUri(params.uri);
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  if (!document) return { version: null, diagnostics: [] };
  if (params.wait) await fresh(uri, Math.min(params.wait, PATIENCE));
  const range = params.range ? client.protocol2CodeConverter.asRange(params.range) : undefined;
  const found = vscode.languages
    .getDiagnostics(uri)
    .filter((each) => each.source !== OURS && (!range || each.range.intersection(range)));
  return { version: document.version, diagnostics: await client.code2ProtocolConverter.asDiagnostics(found) };
}

/** Wait until the diagnostics of a document have changed and rested, or the time is up. */
function fresh(uri: vscode.Uri, wait: number): Promise<void> {
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    const end = (): void => {
      clearTimeout(quiet);
      clearTimeout(last);
      listening.dispose();
      resolve();
    };
    const last = setTimeout(end, wait);
    const listening = vscode.languages.onDidChangeDiagnostics((event) => {
      if (!event.uris.some((each) => each.toString() === uri.toString())) return;
      clearTimeout(quiet);
      quiet = setTimeout(end, QUIET);
    });
  });
}
