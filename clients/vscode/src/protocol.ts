/**
 * What the server and this extension say to each other beyond the Language Server Protocol; docs/protocol.md has the
 * meaning of each field. Types and names only.
 */
import { NotificationType, RequestType, type Diagnostic, type Range, type TextEdit } from "vscode-languageclient";

/** US dollars: exact, and as a person reads them. */
export interface Amount {
  usd: string | null;
  display: string;
}

export interface Row extends Amount {
  name: string;
}

/** The session's last run. */
export interface Last {
  action: string;
  model: string;
  tier: string;
  cost: Amount;
  cachedTokens: number | null;
  reason: string;
  outcome: string;
  estimated: boolean;
}

/** The accounts, as the server sends them after each request. */
export interface Cost {
  schema: number;
  session: Amount | null;
  today: Amount;
  month: Amount;
  saved: Amount;
  estimated: Amount;
  requests: number;
  unknown: number;
  byModel: Row[];
  byTier: Row[];
  last: Last | null;
  /** What the user's budget still allows; left out or null where none is set. */
  budget?: Budget | null;
}

export interface Budget {
  left: Amount;
  limit: Amount;
  /** The time that it is for, such as `today`. */
  period: string;
}

/** A batch of streamed edits. All of a run's batches are one step of undo. */
export interface EditParams {
  run: string;
  uri: string;
  version: number;
  first: boolean;
  edits: TextEdit[];
}

export interface Applied {
  applied: boolean;
}

/** The next piece of an explanation. */
export interface ExplanationParams {
  run: string;
  title: string;
  markdown: string;
  done: boolean;
  /** What came so far does not stand: another model begins anew. */
  restart?: boolean;
}

/** Where a run stands. */
export interface RunParams {
  run: string;
  title: string;
  uri: string;
  state: "started" | "working" | "ended";
  line?: string;
  outcome?: string;
  range?: Range | null;
}

/** The server asks what all other servers say of a document. */
export interface DiagnosticsParams {
  uri: string;
  /** The version that is asked about. */
  version?: number | null;
  range?: Range | null;
  /** Milliseconds to wait for fresh diagnostics, at most. */
  wait?: number;
}

export interface DiagnosticsResult {
  /** The document's version when they were taken; null where the document is not open. */
  version: number | null;
  /** The document's version when any of them was last said or taken back; null before that. */
  judged: number | null;
  diagnostics: Diagnostic[];
}

/** What the extension needs to know of the server's configuration. */
export interface About {
  /** The absolute path of the configuration, whether or not it exists. */
  config: string;
  /** The keys that the configured providers want. */
  keys: { name: string; provider: string; ready: boolean }[];
}

/** An action that the server has, as its answer to `initialize` names it. */
export interface Action {
  /** The `action` of RUN. */
  id: string;
  /** What a title begins with, before the name of the target. */
  verb: string;
  /** The code-action kind of its entry in the menu. */
  kind: string;
  /** What its answer is. */
  shape: string;
}

export const EditRequest = new RequestType<EditParams, Applied, void>("tuppence/edit");
export const DiagnosticsRequest = new RequestType<DiagnosticsParams, DiagnosticsResult, void>("tuppence/diagnostics");
export const AboutRequest = new RequestType<Record<string, never>, About, void>("tuppence/about");
export const CostNotification = new NotificationType<Cost>("tuppence/cost");
export const ExplanationNotification = new NotificationType<ExplanationParams>("tuppence/explanation");
export const RunNotification = new NotificationType<RunParams>("tuppence/run");

/** The server's own commands. */
export const CLEAR = "tuppence.clear";
export const COST = "tuppence.cost";
export const FORGET = "tuppence.forget";
export const PREVIEW = "tuppence.preview";
export const RUN = "tuppence.run";
export const STOP = "tuppence.stop";
export const PUT_BACK = "tuppence.putBack";

/** The reply to `tuppence.preview`. */
export interface PreviewResult {
  title: string;
  text: string;
}
