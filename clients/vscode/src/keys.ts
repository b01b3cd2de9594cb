/**
 * Providers' keys in the editor's secret store, each under the name of the environment variable that it stands for.
 * They are handed to the server when it starts, and go nowhere else.
 */
import * as vscode from "vscode";
import type { About } from "./protocol";
import { label } from "./words";

const NAMES = "tuppence.keyNames";
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export class Keys {
  constructor(
    private readonly secrets: vscode.SecretStorage,
    private readonly memory: vscode.Memento,
  ) {}

  /** Return all kept keys by name. */
  async all(): Promise<Record<string, string>> {
    const kept: Record<string, string> = {};
    for (const name of this.names) {
      const key = await this.secrets.get(secret(name));
      if (key) kept[name] = key;
    }
    return kept;
  }

  /**
   * Ask the person for a key and keep it, or forget it where nothing is given.
   *
   * @returns whether anything changed.
   */
  async ask(wanted: About["keys"]): Promise<boolean> {
    const name = await this.askName(wanted);
    if (!name) return false;
    const kept = this.names.includes(name);
    const key = await vscode.window.showInputBox({
      title: `Tuppence: ${name}`,
      prompt: kept ? "A new key, or nothing to forget the one that is kept." : "The key. It goes into the editor's secret store.",
      password: true,
      ignoreFocusOut: true,
    });
    if (key === undefined || (!key.trim() && !kept)) return false;
    if (key.trim()) {
      await this.secrets.store(secret(name), key.trim());
      await this.memory.update(NAMES, [...new Set([...this.names, name])]);
    } else {
      await this.secrets.delete(secret(name));
      await this.memory.update(NAMES, this.names.filter((each) => each !== name));
    }
    return true;
  }

  private get names(): string[] {
    return this.memory.get<string[]>(NAMES, []);
  }

  private async askName(wanted: About["keys"]): Promise<string | undefined> {
    const kept = this.names;
    const known = new Map<string, vscode.QuickPickItem>();
    for (const { name, provider, ready } of wanted) {
      known.set(name, { label: name, description: label(provider), detail: ready ? "There is a key." : "There is no key." });
    }
    for (const name of kept) known.set(name, { label: name, ...known.get(name), detail: "Kept by this editor." });
    const other = { label: "$(edit) Another name…" };
    if (known.size) {
      const picked = await vscode.window.showQuickPick([...known.values(), other], { title: "Tuppence: whose key?" });
      if (picked !== other) return picked?.label;
    }
    return vscode.window.showInputBox({
      title: "Tuppence: whose key?",
      prompt: "The name of the environment variable that the key stands for",
      placeHolder: "ANTHROPIC_API_KEY",
      validateInput: (name) => (NAME.test(name) ? undefined : "A name has letters, digits and underscores only."),
    });
  }
}

function secret(name: string): string {
  return `key:${name}`;
}
