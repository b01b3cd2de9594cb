// Packages the extension, and fails where vsce warns of anything: what it warns of reaches whoever installs it.
// The one warning that is allowed for is of an address of a repository, which this project does not publish.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

const OUT = "tuppence.vsix";
const args = ["package", "--no-dependencies", "--allow-missing-repository", "--out", OUT];

rmSync(OUT, { force: true });
const { status, stdout, stderr } = spawnSync("node_modules/.bin/vsce", args, {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "pipe"],
  shell: process.platform === "win32",
});
process.stdout.write(stdout ?? "");
process.stderr.write(stderr ?? "");
const warned = /\bWARN(?:ING)?\b/.test(`${stdout}${stderr}`);
if (status !== 0 || warned) {
  rmSync(OUT, { force: true });
  console.error(warned ? "vsce warns, so there is no package: mend what it says above." : "vsce made no package.");
  process.exit(1);
}
