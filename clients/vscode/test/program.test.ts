import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
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

function check(name: string, path: string, expected: string | undefined): void {
  test(name, () => {
    assert.equal(look("tuppence", { path, platform: "linux", workspace: [folders.workspace] }), expected);
  });
}

check("the first of PATH is taken", `${join(root, "none")}:${folders.bin}`, own);
check("a workspace's program is passed over", `${join(inWorkspace, "..")}:${folders.bin}`, own);
check("a workspace's program is no last resort either", join(inWorkspace, ".."), undefined);
check("a relative entry is passed over", `.:bin::${folders.bin}`, own);
check("a folder of that name is no program", join(listed, "..", ".."), undefined);
