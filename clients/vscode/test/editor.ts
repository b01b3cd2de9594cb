/**
 * As much of `vscode` as the tests need: documents in editors that take edits, pages that remember what they were sent,
 * and events that a test fires.
 */

type Listener<T> = (event: T) => unknown;

export class EventEmitter<T> {
  private readonly listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>): { dispose(): void } => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };

  fire(event: T): void {
    this.listeners.forEach((each) => each(event));
  }

  dispose(): void {
    this.listeners.clear();
  }
}

/** In a document of one line an offset is a column, and that is all that is needed here. */
export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}

export class Range {
  readonly start: Position;
  readonly end: Position;

  constructor(start: Position | number, end: Position | number, line?: number, character?: number) {
    this.start = typeof start === "number" ? new Position(start, end as number) : start;
    this.end = typeof end === "number" ? new Position(line!, character!) : end;
  }
}

export enum ViewColumn {
  Active = -1,
  Beside = -2,
}

export class Document {
  version = 1;

  constructor(
    readonly uri: string,
    public text: string,
  ) {}

  getText({ start, end }: Range): string {
    return this.text.slice(start.character, end.character);
  }

  offsetAt({ character }: Position): number {
    return character;
  }

  positionAt(offset: number): Position {
    return new Position(0, offset);
  }
}

interface Stops {
  undoStopBefore: boolean;
  undoStopAfter: boolean;
}

/** An editor that shows a document, and remembers each edit with its undo stops. */
export class Editor {
  readonly edits: [string, Stops][] = [];
  /** Resolves before an edit is applied: what is slow. */
  pause: Promise<void> = Promise.resolve();

  constructor(readonly document: Document) {}

  async edit(build: (builder: { replace(range: Range, text: string): void }) => void, stops: Stops): Promise<boolean> {
    const replaced: [Range, string][] = [];
    build({ replace: (range, text) => replaced.push([range, text]) });
    await this.pause;
    for (const [range, text] of replaced) this.change(range, text);
    this.edits.push([replaced.map(([, text]) => text).join("|"), stops]);
    return true;
  }

  /** Change the document, as a person or another extension does. */
  change({ start, end }: Range, text: string): void {
    const { document } = this;
    const [rangeOffset, rangeLength] = [start.character, end.character - start.character];
    if (!rangeLength && !text) return;
    document.text = document.text.slice(0, rangeOffset) + text + document.text.slice(rangeOffset + rangeLength);
    document.version++;
    changed.fire({ document, contentChanges: [{ rangeOffset, rangeLength, text }] });
  }
}

/** What a page was sent last. */
export interface Sent {
  title: string;
  text: string;
  footer: string;
}

export const sent: Sent[] = [];
export const changed = new EventEmitter<unknown>();
const closed = new EventEmitter<Document>();
const never = { dispose: (): void => {} };

export const window = {
  visibleTextEditors: [] as Editor[],
  registerWebviewPanelSerializer: () => never,
  createWebviewPanel: () => ({
    title: "",
    reveal: () => {},
    dispose: () => {},
    onDidDispose: () => never,
    webview: {
      options: {},
      html: "",
      onDidReceiveMessage: () => never,
      postMessage: (message: Sent) => Promise.resolve(sent.push(message) > 0),
    },
  }),
};

export const workspace = {
  get textDocuments(): Document[] {
    return window.visibleTextEditors.map((each) => each.document);
  },
  onDidChangeTextDocument: changed.event,
  onDidCloseTextDocument: closed.event,
};
