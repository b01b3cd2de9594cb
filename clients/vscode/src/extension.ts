/**
 * The extension: starts the server, shows what it says and hands it what is asked. What can be done with which code,
 * and how, is the server's affair: a new action or language needs nothing new here.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { ErrorCodes, ExecuteCommandRequest, ResponseError, State as ClientState } from "vscode-languageclient";
import type { LanguageClient } from "vscode-languageclient/node";
import { ACTIONS_IN_PALETTE } from "./actions";
import { ask, choose, pickAction } from "./asking";
import { connect, type Ears } from "./connection";
import { listen } from "./diagnostics";
import { Highlight } from "./highlight";
import { Keys } from "./keys";
import { Live } from "./live";
import { Offers, type Offer } from "./offers";
import { Page } from "./page";
import { Preview } from "./preview";
import { AboutRequest, CLEAR, COST, FORGET, PUT_BACK, RUN, STOP, type About } from "./protocol";
import { Reading } from "./reading";
import { write, type Report } from "./report";
import { Runs } from "./runs";
import { Server } from "./server";
import { Sheet } from "./sheet";
import { excuse, Status, type State } from "./status";
import { Walkthrough } from "./walkthrough";
import { message as safe } from "./words";

let extension: Extension | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  extension = new Extension(context);
  await extension.begin();
}

export async function deactivate(): Promise<void> {
  await extension?.stop();
}

class Extension {
  private readonly log = vscode.window.createOutputChannel("Tuppence", { log: true });
  private readonly server = new Server(this.context, this.log);
  private readonly keys = new Keys(this.context.secrets, this.context.globalState);
  private readonly live = new Live();
  private readonly runs = new Runs(this.live);
  private readonly offers = new Offers(this.runs, () => this.client);
  private readonly reading = new Reading(this.runs);
  private readonly report = new Page("tuppence.cost", vscode.ViewColumn.Active);
  private readonly preview = new Preview();
  private readonly sheet = new Sheet("tuppence.cost", "What Tuppence cost");
  private readonly status = new Status(this.runs, (run) => void this.tell(STOP, { run }));
  private readonly walkthrough = new Walkthrough();
  private client: LanguageClient | undefined;
  private starting: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: vscode.ExtensionContext) {
    const highlight = new Highlight(this.runs);
    const { log, runs, offers, reading, report, status, walkthrough } = this;
    context.subscriptions.push(log, runs, offers, reading, report, this.preview, this.sheet, status, walkthrough, highlight, ...this.commands());
    context.subscriptions.push(
      listen(),
      runs.onDidChange(() => this.setContext()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("tuppence.server")) void this.begin();
      }),
    );
  }

  /** Start the server, and offer to install it where there is none; nobody waits for the person's answer. */
  async begin(): Promise<void> {
    if (!(await this.start())) void this.install();
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.isRunning()) await client.stop();
    this.runs.clear();
  }

  /** Start the server anew; report whether there is one. */
  private start(): Promise<boolean> {
    const next = this.starting.then(() => this.restart());
    this.starting = next;
    return next;
  }

  private async restart(): Promise<boolean> {
    try {
      await this.stop();
      const program = this.server.find();
      if (program) await this.open(program);
      else this.become("absent");
      return program !== undefined;
    } catch (error) {
      this.become("failed");
      this.complain(`Tuppence's server did not start. ${sentence(error)}`);
      return true;
    }
  }

  private async open(program: string): Promise<void> {
    this.become("starting");
    await vscode.workspace.fs.createDirectory(this.context.globalStorageUri);
    const start = {
      program,
      options: this.server.options,
      folder: this.server.folder,
      keys: await this.keys.all(),
    };
    const ears: Ears = {
      cost: (cost) => (this.status.accounts = cost),
      explanation: (piece) => this.reading.add(piece),
      run: (run, from) => this.runs.hear(run, from),
      lost: () => {
        this.become("failed");
        this.complain("Tuppence's server ended again and again, so it is not started any more.");
      },
    };
    const client = connect(start, ears, this.live, this.log);
    this.client = client;
    client.onDidChangeState(({ newState }) => {
      if (this.client !== client) return;
      if (newState === ClientState.Running) this.become("ready");
      if (newState === ClientState.Stopped) {
        this.runs.clear();
        this.become("failed");
      }
    });
    await client.start();
    this.become("ready");
  }

  private become(state: State): void {
    this.status.server = state;
    if (state === "ready") this.walkthrough.done("server");
  }

  private setContext(): void {
    const { answered } = this.runs;
    if (answered) this.walkthrough.done("ask");
    void vscode.commands.executeCommand("setContext", "tuppence.running", this.runs.active.length > 0);
    void vscode.commands.executeCommand("setContext", "tuppence.answered", answered);
  }

  private commands(): vscode.Disposable[] {
    const does: Record<string, (...args: never[]) => unknown> = {
      ...Object.fromEntries(ACTIONS_IN_PALETTE.map((action) => [action, () => this.asked((client) => ask(action, client))])),
      pickAction: () => this.asked(pickAction),
      choose: () => this.asked(choose),
      showPreview: () => this.asked((client) => this.preview.show(client)),
      stopRun: (run?: string) => this.stopRun(run),
      keepAnswer: (uri: vscode.Uri) => this.runs.forget(uri),
      putBackAnswer: () => this.offered(({ putBack }) => putBack, "This file holds no answer to put back."),
      askAgain: () => this.offered(({ better }) => better, "This file holds no answer to ask again for, or there is no better model."),
      clearFindings: () => this.asked((client) => this.clearFindings(client)),
      forgetAnswers: () => this.asked(() => this.tell(FORGET, {})),
      showCost: () => this.showCost(),
      setKey: () => this.setKey(),
      installServer: () => this.install(),
      restartServer: () => this.begin(),
      showLog: () => this.log.show(),
      openConfig: () => this.openConfig(),
    };
    return Object.entries(does).map(([name, act]) => vscode.commands.registerCommand(`tuppence.${name}`, act));
  }

  private async install(): Promise<void> {
    if (this.client?.isRunning()) {
      void vscode.window.showInformationMessage("Tuppence's server is there, and runs.");
    } else if (await this.server.offer()) {
      await this.start();
    }
  }

  /** Stop one run; the newest of them where none is named. */
  private async stopRun(run?: unknown): Promise<void> {
    const id = typeof run === "string" ? run : this.runs.active[0]?.id;
    if (id) await this.tell(STOP, { run: id });
  }

  /** Do what the server offers about the answer in the active editor: one that is not seen stays as it is. */
  private async offered(pick: (of: Awaited<ReturnType<Offers["of"]>>) => Offer | undefined, none: string): Promise<void> {
    const answer = this.runs.answer(vscode.window.activeTextEditor?.document.uri);
    const offer = answer && pick(await this.offers.of(answer));
    if (!offer) {
      void vscode.window.showInformationMessage(none);
      return;
    }
    await this.tell(offer.command.command === PUT_BACK ? PUT_BACK : RUN, offer.command.arguments?.[0]);
  }

  /** Take all findings of the active file down. */
  private async clearFindings(client: LanguageClient): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    if (uri) await this.tell(CLEAR, { uri: client.code2ProtocolConverter.asUri(uri) });
    else void vscode.window.showInformationMessage("Open the file whose findings are to go.");
  }

  /** Do what needs the server; where it does not run, say so. */
  private async asked(act: (client: LanguageClient) => Promise<unknown>): Promise<void> {
    if (this.client?.isRunning()) await act(this.client);
    else await excuse(this.status.server);
  }

  private async tell(command: string, argument: unknown): Promise<void> {
    await this.client?.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument as never] });
  }

  /** Show the page that the server writes, or what is known where it writes none. */
  private async showCost(): Promise<void> {
    const page = await this.page();
    if (page !== undefined) {
      this.sheet.open(page);
      return;
    }
    const report = (await this.read()) ?? this.status.accounts;
    if (!report) {
      await excuse(this.status.server);
      return;
    }
    const time = (at: string): string => new Date(at).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
    this.report.open("What Tuppence cost", write(report, time), "");
  }

  /** Return the server's page, undefined where it does not run or knows no such command. */
  private async page(): Promise<string | undefined> {
    try {
      if (!this.client?.isRunning()) return undefined;
      const told = (await this.client.sendRequest(ExecuteCommandRequest.type, { command: COST })) as { path: string } | null;
      return told ? await readFile(told.path, "utf8") : undefined;
    } catch (error) {
      this.log.warn(`${COST}: ${sentence(error)}`);
      return undefined;
    }
  }

  /** Return what the server's own command reports, undefined where it cannot. */
  private async read(): Promise<Report | undefined> {
    try {
      const program = this.server.find();
      if (!program) return undefined;
      const { stdout } = await promisify(execFile)(program, ["cost", "--json", ...this.server.options], { cwd: this.server.folder });
      return JSON.parse(stdout) as Report;
    } catch (error) {
      this.log.warn(`tuppence cost --json: ${sentence(error)}`);
      return undefined;
    }
  }

  private async setKey(): Promise<void> {
    const wanted = (await this.about())?.keys ?? [];
    if (await this.keys.ask(wanted)) await this.start();
  }

  private async openConfig(): Promise<void> {
    const about = await this.about();
    if (!about) {
      await excuse(this.status.server);
      return;
    }
    const file = vscode.Uri.file(about.config);
    const there = await vscode.workspace.fs.stat(file).then(
      () => true,
      () => false,
    );
    // An untitled document of that path becomes the file when it is saved.
    const document = await vscode.workspace.openTextDocument(there ? file : file.with({ scheme: "untitled" }));
    const editor = await vscode.window.showTextDocument(document);
    if (there || document.getText()) return;
    const example = await readFile(this.context.asAbsolutePath("config.example.toml"), "utf8");
    await editor.edit((builder) => builder.insert(new vscode.Position(0, 0), example));
  }

  private async about(): Promise<About | undefined> {
    try {
      return this.client?.isRunning() ? await this.client.sendRequest(AboutRequest, {}) : undefined;
    } catch (error) {
      if (!(error instanceof ResponseError) || error.code !== ErrorCodes.MethodNotFound) this.log.warn(sentence(error));
      return undefined;
    }
  }

  private complain(message: string): void {
    this.log.error(message);
    void vscode.window.showErrorMessage(safe(message), "Show Log", "Open Settings").then((choice) => {
      if (choice === "Show Log") this.log.show();
      if (choice === "Open Settings") void vscode.commands.executeCommand("workbench.action.openSettings", "tuppence.server");
    });
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
