/**
 * The language client: how the server is started, what is said of this editor, and who hears what the server says
 * beyond the Language Server Protocol.
 */
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  RevealOutputChannelOn,
  type ClientCapabilities,
  type CloseHandlerResult,
  type ErrorHandler,
  type FeatureState,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient";
import { LanguageClient, type ServerOptions } from "vscode-languageclient/node";
import { answer } from "./diagnostics";
import { discreet } from "./discreet";
import type { Live } from "./live";
import {
  CostNotification,
  DiagnosticsRequest,
  EditRequest,
  ExplanationNotification,
  RUN,
  RunNotification,
  type Cost,
  type ExplanationParams,
  type RunParams,
} from "./protocol";
import { restrain } from "./trust";

/** How often a server is started again within so many milliseconds. */
const RESTARTS = 3;
const SPAN = 180_000;

/** How to start the server. */
export interface Start {
  readonly program: string;
  readonly options: readonly string[];
  /** A folder that lends the server nothing. */
  readonly folder: string;
  readonly keys: Readonly<Record<string, string>>;
}

/** Who hears from the server. */
export interface Ears {
  cost(cost: Cost): void;
  explanation(piece: ExplanationParams): void;
  run(run: RunParams, client: LanguageClient): void;
  /** The server ended too often to be started again. */
  lost(): void;
}

/** Return a client that is ready to be started. */
export function connect(start: Start, ears: Ears, live: Live, log: vscode.LogOutputChannel): LanguageClient {
  const server: ServerOptions = {
    command: start.program,
    args: ["serve", ...start.options],
    options: { cwd: start.folder, env: { ...process.env, PYTHONSAFEPATH: "1" } },
  };
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
    initializationOptions: { keys: start.keys },
    outputChannel: discreet(log, Object.values(start.keys)),
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler: new Patience(() => ears.lost()),
    // A hover that is all our own may hold a link that asks for an explanation: trust.ts says which is.
    markdown: { isTrusted: false, supportHtml: false },
    middleware: {
      provideHover: async (document, position, token, next) => restrain(await next(document, position, token), RUN),
      // The editor shows this kind of progress without a way to cancel it; status.ts shows the same runs with one.
      handleWorkDoneProgress: (token, params, next) => {
        if (!String(token).startsWith("tuppence-")) next(token, params);
      },
    },
  };
  const client = new LanguageClient("tuppence", "Tuppence", server, options);
  client.registerFeature(new Introduction());
  client.onRequest(EditRequest, (params) => live.apply(params, client));
  client.onRequest(DiagnosticsRequest, (params) => answer(params, client));
  client.onNotification(CostNotification, (cost) => ears.cost(cost));
  client.onNotification(ExplanationNotification, (piece) => ears.explanation(piece));
  client.onNotification(RunNotification, (run) => ears.run(run, client));
  return client;
}

/** Starts a server that ended again, but not for ever. */
class Patience implements ErrorHandler {
  private ends: number[] = [];

  constructor(private readonly lose: () => void) {}

  error(): { action: ErrorAction; handled: boolean } {
    return { action: ErrorAction.Continue, handled: true };
  }

  closed(): CloseHandlerResult {
    const now = Date.now();
    this.ends = [...this.ends.filter((end) => now - end < SPAN), now];
    if (this.ends.length <= RESTARTS) return { action: CloseAction.Restart, handled: true };
    this.lose();
    return { action: CloseAction.DoNotRestart, handled: true };
  }
}

/** Says what this client can do beyond the protocol. */
class Introduction implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const known = capabilities.experimental as object | undefined;
    capabilities.experimental = { ...known, tuppence: { stream: 1, status: true, diagnostics: 1 } };
  }

  initialize(): void {}

  getState(): FeatureState {
    return { kind: "static" };
  }

  clear(): void {}
}
