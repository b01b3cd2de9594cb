/** The actions: those with a command of their own in the manifest, and all that the server names. */
import type { Action } from "./protocol";
import { label } from "./words";

/** The ids of the actions that the manifest, which is static, has a command for; `tuppence.pickAction` reaches all. */
export const ACTIONS_IN_PALETTE: readonly string[] = ["explain", "fix", "tests", "review"];

/** An action in a list to pick from. */
export interface Entry {
  label: string;
  description: string;
  id: string;
}

/**
 * Return the actions that the server names in its answer to `initialize`, in its order; none where it names none, as an
 * older server.
 *
 * @param experimental the value of `capabilities.experimental` in that answer.
 */
export function entries(experimental: unknown): Entry[] {
  const { tuppence } = (experimental ?? {}) as { tuppence?: { actions?: Action[] } };
  return (tuppence?.actions ?? []).map(({ id, verb }) => ({ label: label(verb), description: label(id), id }));
}
