import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: { configuration: { properties: Record<string, { scope: string }> } };
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;

for (const [name, { scope }] of Object.entries(manifest.contributes.configuration.properties)) {
  test(`a workspace does not set ${name}`, () => {
    assert.equal(scope, "machine");
    assert.ok(restrictedConfigurations.includes(name));
  });
}
