// Bundles the extension, or its tests, into out/. `vscode` is there when it runs, and the tests bring a small one of their
// own; everything else goes in.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const [what] = process.argv.slice(2);
const common = { bundle: true, platform: "node", target: "node20", format: "cjs", logLevel: "warning" };

if (what === "test") {
  const entryPoints = readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`);
  await build({ ...common, entryPoints, outdir: "out/test", alias: { vscode: "./test/editor.ts" } });
} else {
  const minify = what === "minify";
  await build({ ...common, entryPoints: ["src/extension.ts"], external: ["vscode"], outfile: "out/extension.js", minify, sourcemap: !minify });
}
