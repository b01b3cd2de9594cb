/**
 * The server's own environment: found, or made after asking. The wheel that is installed comes with this extension, so
 * its version is this extension's; only what it depends on is fetched, from the package index that pip is set to.
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as vscode from "vscode";
import { look, runs, within, type Places } from "./program";
import { message } from "./words";

/** Python's names, best first; the plain ones may be of any version. */
const PYTHONS = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
const OLDEST = [3, 11] as const;
const READY = "tuppence-is-ready";

export class Server {
  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** A folder of our own, where nothing lies that a program could pick up. */
  get folder(): string {
    return this.context.globalStorageUri.fsPath;
  }

  /** The arguments that every command of the program takes here. */
  get options(): string[] {
    const config = setting("config");
    return config ? ["--config", config] : [];
  }

  /**
   * Return the program to run, undefined where there is none yet.
   *
   * @throws where a setting names one that cannot be run.
   */
  find(): string | undefined {
    const named = setting("path");
    if (named) {
      if (!isAbsolute(named) || !runs(named)) {
        throw new Error(`tuppence.server.path is “${named}”, which is not the absolute path of a program.`);
      }
      return named;
    }
    const own = within(this.environment, "tuppence", process.platform);
    return existsSync(join(this.environment, READY)) && runs(own) ? own : look("tuppence", places());
  }

  /** Ask, and install if the answer is yes; report whether there is a server now. */
  async offer(): Promise<boolean> {
    const wheel = await this.wheel();
    if (!wheel) {
      const choice = await vscode.window.showErrorMessage(
        "This build of Tuppence carries no server. Name a tuppence program in the settings.",
        "Open Settings",
      );
      if (choice) await vscode.commands.executeCommand("workbench.action.openSettings", "tuppence.server.path");
      return false;
    }
    const choice = await vscode.window.showInformationMessage(
      `Tuppence needs its server. Install tuppence ${this.version} into an environment of its own? ` +
        "It takes the libraries that it depends on from your Python package index, about 100 MB.",
      "Install",
      "I Have One",
    );
    if (choice === "I Have One") {
      await vscode.commands.executeCommand("workbench.action.openSettings", "tuppence.server.path");
    }
    return choice === "Install" && (await this.install(wheel));
  }

  private async install(wheel: string): Promise<boolean> {
    const options = { location: vscode.ProgressLocation.Notification, title: "Installing tuppence's server", cancellable: true };
    try {
      await mkdir(this.folder, { recursive: true });
      await vscode.window.withProgress(options, async (progress, token) => {
        const stop = new AbortController();
        token.onCancellationRequested(() => stop.abort());
        await this.make(wheel, (line) => progress.report({ message: message(line) }), stop.signal);
      });
      return true;
    } catch (error) {
      await rm(this.environment, { recursive: true, force: true });
      this.log.error(String(error));
      const choice = await vscode.window.showErrorMessage(`Tuppence's server was not installed. ${message(short(error))}`, "Show Log");
      if (choice) this.log.show();
      return false;
    }
  }

  private async make(wheel: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
    say("looking for Python");
    const python = await this.python(signal);
    await rm(this.environment, { recursive: true, force: true });
    say("making an environment");
    // -I: neither the folder nor PYTHON* variables may lend a module.
    let pip: string[] = [within(this.environment, "python", process.platform), "-I", "-m", "pip"];
    try {
      await this.run([python, "-I", "-m", "venv", this.environment], signal);
    } catch {
      signal.throwIfAborted();
      // Debian splits pip from Python's venv; the pip beside that Python can fill the environment just as well.
      await this.run([python, "-I", "-m", "venv", "--clear", "--without-pip", this.environment], signal);
      pip = [python, "-I", "-m", "pip", "--python", within(this.environment, "python", process.platform)];
    }
    say("fetching what it depends on");
    await this.run([...pip, "install", "--disable-pip-version-check", "--no-input", wheel], signal);
    await this.run([within(this.environment, "tuppence", process.platform), "--version"], signal);
    await writeFile(join(this.environment, READY), this.version);
    await this.tidy();
  }

  /** Remove the environments of other versions. */
  private async tidy(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      if (name.startsWith("server-") && path !== this.environment) await rm(path, { recursive: true, force: true });
    }
  }

  private async python(signal: AbortSignal): Promise<string> {
    const named = setting("python");
    if (named && !isAbsolute(named)) throw new Error(`tuppence.server.python is “${named}”, which is no absolute path.`);
    for (const path of named ? [named] : PYTHONS.map((name) => look(name, places()))) {
      if (!path) continue;
      try {
        const version = await this.run([path, "-I", "-c", "import sys; print(*sys.version_info[:2])"], signal);
        const [major = 0, minor = 0] = version.trim().split(" ").map(Number);
        if (major === OLDEST[0] && minor >= OLDEST[1]) return path;
      } catch (error) {
        signal.throwIfAborted();
        this.log.warn(`${path} cannot be used: ${short(error)}`);
      }
    }
    throw new Error(`There is no Python ${OLDEST.join(".")} or newer${named ? ` at ${named}` : " on your PATH"}.`);
  }

  private run([program, ...args]: string[], signal: AbortSignal): Promise<string> {
    this.log.info([program, ...args].join(" "));
    return new Promise((resolve, reject) => {
      execFile(program!, args, { cwd: this.folder, signal, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
        if (stderr.trim()) this.log.info(stderr.trim());
        if (error) reject(new Error(stderr.trim().split("\n").at(-1) || error.message));
        else resolve(stdout);
      });
    });
  }

  private async wheel(): Promise<string | undefined> {
    const folder = this.context.asAbsolutePath("server");
    const names = existsSync(folder) ? await readdir(folder) : [];
    const name = names.find((each) => each.startsWith(`tuppence-${this.version}-`) && each.endsWith(".whl"));
    return name && join(folder, name);
  }

  private get environment(): string {
    return join(this.folder, `server-${this.version}`);
  }

  private get version(): string {
    return (this.context.extension.packageJSON as { version: string }).version;
  }
}

/** Return a setting of the server; each is one of the machine's and never a workspace's. */
function setting(name: string): string {
  return vscode.workspace.getConfiguration("tuppence.server").get<string>(name, "").trim();
}

function places(): Places {
  return {
    path: process.env["PATH"] ?? process.env["Path"] ?? "",
    platform: process.platform,
    workspace: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
  };
}

function short(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
