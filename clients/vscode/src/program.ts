/**
 * Which program is run: the server, and the Python that its environment is made with. A name is looked up by us and
 * never by the system, so that no folder of a workspace, and no relative entry of PATH, can lend one.
 */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";

/** Where to look. */
export interface Places {
  /** PATH as the editor got it. */
  readonly path: string;
  readonly platform: NodeJS.Platform;
  /** The workspace's folders: nothing in them is ever run. */
  readonly workspace: readonly string[];
}

/** Return the absolute path of the first program of that name, undefined where there is none. */
export function look(name: string, places: Places): string | undefined {
  const windows = places.platform === "win32";
  const file = windows ? `${name}.exe` : name;
  return places.path
    .split(windows ? ";" : ":")
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, file))
    .find((path) => runs(path) && !places.workspace.some((root) => inside(path, root)));
}

/** Return where a Python environment keeps a program. */
export function within(environment: string, name: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? join(environment, "Scripts", `${name}.exe`) : join(environment, "bin", name);
}

/** Report whether there is a program at a path. */
export function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Report whether a path lies in a folder, by its name or by where links lead from there. */
function inside(path: string, folder: string): boolean {
  const roots = new Set([resolve(folder), real(folder)]);
  return [resolve(path), real(path)].some((each) => [...roots].some((root) => beneath(each, root)));
}

function beneath(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(sep)[0] !== "..";
}

/** Return a path without links in it; as it is where nothing is there. */
function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return resolve(path);
  }
}
