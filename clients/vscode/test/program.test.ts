import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { look } from "../src/program";

const root = mkdtempSync(join(tmpdir(), "tuppence-"));

function program(...parts: string[]): string {
  const path = join(root, ...parts);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "");
  chmodSync(path, 0o755);
  return path;
}

const inWorkspace = program("work", ".venv", "bin", "tuppence");
const own = program("bin", "tuppence");
const listed = program("folder", "tuppence", "file");
const folders = { workspace: join(root, "work"), bin: join(root, "bin") };

function check(name: string, path: string, expected: string | undefined, workspace = folders.workspace): void {
  test(name, () => {
    assert.equal(look("tuppence", { path, platform: "linux", workspace: [workspace] }), expected);
  });
}

function link(name: string, to: string): string {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  symlinkSync(to, path);
  return path;
}

check("the first of PATH is taken", `${join(root, "none")}:${folders.bin}`, own);
check("a workspace's program is passed over", `${join(inWorkspace, "..")}:${folders.bin}`, own);
check("a workspace's program is no last resort either", join(inWorkspace, ".."), undefined);
check("a relative entry is passed over", `.:bin::${folders.bin}`, own);
check("a folder of that name is no program", join(listed, "..", ".."), undefined);

const dotted = program("work", "..venv", "bin", "tuppence");
const beside = program("work-and-more", "bin", "tuppence");
const linked = link("linked", folders.workspace);
const linkedFolder = link("tools", join(inWorkspace, ".."));
const linkedProgram = link("lent/tuppence", inWorkspace);
const linkedAway = link("work/away", folders.bin);

check("a folder whose name begins with two dots is in the workspace", join(dotted, ".."), undefined);
check("a workspace that was opened through a link is where the link leads", join(inWorkspace, ".."), undefined, linked);
check("a program named through the link is the workspace's", join(linked, ".venv", "bin"), undefined, linked);
check("a program named through the link is the workspace's by its real name too", join(linked, ".venv", "bin"), undefined);
check("a folder that leads into the workspace is the workspace's", linkedFolder, undefined);
check("a program that leads into the workspace is the workspace's", join(linkedProgram, ".."), undefined);
check("a workspace's link is the workspace's, wherever it leads", linkedAway, undefined);
check("a folder with a longer name is another one", join(beside, ".."), beside);
check("a workspace that is gone holds nothing", folders.bin, own, join(root, "gone"));
