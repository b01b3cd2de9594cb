/**
 * A log in which no secret ever stands, whoever writes to it: at its finest level the language client writes down whole
 * messages, and the first of them hands the keys over.
 */
import type { LogOutputChannel } from "vscode";

const WRITES = new Set<PropertyKey>(["trace", "debug", "info", "warn", "error", "append", "appendLine", "replace"]);
const HIDDEN = "•••";

/** Return a channel that writes to another one, without the secrets. */
export function discreet(log: LogOutputChannel, secrets: readonly string[]): LogOutputChannel {
  return new Proxy(log, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (!WRITES.has(name)) return value.bind(target);
      return (...said: unknown[]): unknown => value.apply(target, said.map((each) => hide(each, secrets)));
    },
  });
}

/** Return what is to be written without the secrets, as they are and as they stand in JSON. */
export function hide(said: unknown, secrets: readonly string[]): unknown {
  if (said === null || said === undefined || typeof said === "number" || typeof said === "boolean") return said;
  const text = written(said);
  const forms = secrets.filter((each) => each).flatMap((each) => [each, JSON.stringify(each).slice(1, -1)]);
  // The longer ones first: one secret may be a part of another.
  const clean = forms.sort((a, b) => b.length - a.length).reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
  return clean === text ? said : clean;
}

function written(said: unknown): string {
  if (typeof said === "string") return said;
  if (said instanceof Error) return said.stack ?? String(said);
  return JSON.stringify(said) ?? String(said);
}
