// The dependency that docs/rust.md prints: its names, features and versions are those of this workspace. Its code is compiled by the
// documentation tests of client-wasm/client.

import { expect, it } from "vitest";
import { blocksOf, readDocument } from "../harness/documents";

it("the dependency that is printed exists, and so do the features", () => {
  const block = blocksOf("docs/rust.md").find(({ language }) => language === "toml");
  const manifest = readDocument("client-wasm/client/Cargo.toml");
  const repository = /^repository = "(.+)"$/m.exec(readDocument("Cargo.toml"))?.[1];
  expect(block?.text).toContain(`everwire-client = { git = "${repository}" }`);
  expect(manifest).toMatch(/^name = "everwire-client"$/m);
  for (const [, feature] of readDocument("docs/rust.md").matchAll(/^\| `(\w+)` \| (?:yes|no) \|/gm))
    expect(manifest).toMatch(new RegExp(`^${feature} = \\[`, "m"));
});

it("the oldest version of Rust is that of the workspace", () => {
  const version = /^rust-version = "(.+)"$/m.exec(readDocument("Cargo.toml"))?.[1];
  expect(readDocument("docs/rust.md")).toContain(`Rust ${version} or newer is needed.`);
});
