// Nothing in the documents is left out: every code block is run by a test or says why it cannot be, and every test
// that a document names exists. (xtask checks that links lead somewhere.)

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { blocksOf, DOCUMENTS, indentedLines, placeOf, ROOT, readDocument } from "../harness/documents";

/** The tests that run all blocks of a language. */
const RUN_BY: Readonly<Record<string, string>> = {
  ts: "documents/code.test.ts",
  tsx: "documents/code.test.ts",
  abnf: "documents/protocol.test.ts",
  dialogue: "documents/protocol.test.ts",
  sh: "documents/commands.test.ts",
  nginx: "proxies/printed.test.ts",
  haproxy: "proxies/printed.test.ts",
  http: "documents/policy.test.ts",
  transcript: "third/third.test.ts",
  "rust,no_run": "../client-wasm/client/src/lib.rs",
  toml: "documents/rust.test.ts",
};

const BLOCKS = DOCUMENTS.flatMap(blocksOf);

it("every code block is run by a test, or says why it cannot be", () => {
  expect(BLOCKS.length).toBeGreaterThan(35);
  for (const block of BLOCKS) {
    if (block.notRun === undefined) expect(RUN_BY, placeOf(block)).toHaveProperty([block.language]);
  }
  for (const file of Object.values(RUN_BY)) expect(existsSync(join(ROOT, "tests", file)), file).toBe(true);
});

it("only diagrams and commands that would build or test everything are not run", () => {
  for (const { language, text, notRun, ...block } of BLOCKS) {
    if (notRun === undefined || language === "mermaid") continue;
    expect(text.trim().split("\n"), placeOf({ language, text, ...block })).toSatisfy((lines: string[]) =>
      lines.every((line) => line.startsWith("cargo xtask ")),
    );
  }
});

it("the configurations are those that the tests of proxies find", () => {
  const of = (language: string) => BLOCKS.filter((block) => block.language === language);
  for (const kind of ["nginx", "haproxy"]) {
    expect(of(kind).map(({ document }) => document)).toEqual(Array(2).fill("docs/operations.md"));
  }
  expect(of("http")).toHaveLength(1);
});

it("no block is only indented: it would have no language and no mark", () => {
  expect(DOCUMENTS.flatMap(indentedLines)).toEqual([]);
});

/** A link of a document. The title of a link to a test file is the test. */
interface Link {
  readonly document: string;
  readonly path: string;
  readonly title?: string;
}

const LINKS: readonly Link[] = DOCUMENTS.flatMap((document) =>
  [...readDocument(document).matchAll(/\]\(([^)\s]+?)(?:#[^)\s]*)?(?: "([^"]+)")?\)/g)].flatMap(
    ([, path = "", title]) => {
      if (/^(https?:|mailto:|#)/.test(path) || path === "") return [];
      const link = { document, path: join(dirname(document), path) };
      return [title === undefined ? link : { ...link, title }];
    },
  ),
);

it("every test that is named exists", () => {
  const named = LINKS.filter(({ path, title }) => title !== undefined && /\.(ts|rs)$/.test(path));
  expect(named.length).toBeGreaterThan(90);
  const missing = named.filter(({ path, title = "" }) => !titlesIn(path).includes(title));
  expect(missing).toEqual([]);
});

const known = new Map<string, readonly string[]>();

/** The titles of the tests in a file; of Rust's the names. */
function titlesIn(path: string): readonly string[] {
  const found = known.get(path) ?? findTitles(path);
  known.set(path, found);
  return found;
}

function findTitles(path: string): string[] {
  const text = readDocument(path);
  if (path.endsWith(".rs")) {
    const tests = text.matchAll(/#\[(?:\w+::)?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)/g);
    return [...tests].map(([, name = ""]) => name);
  }
  const calls = text.matchAll(
    /\b(?:it|test|everyTransport)(?:\.\w+\([^\n]*\))*\(\s*("(?:[^"\\]|\\.)*"|'[^']*')/g,
  );
  return [...calls].map(([, text = '""']) =>
    text.startsWith('"') ? (JSON.parse(text) as string) : text.slice(1, -1),
  );
}

it("every line of the threat model names a test", () => {
  const text = readDocument("docs/security.md");
  const rows = text.split("\n").filter((line) => /^\| (?!threat )/.test(line));
  expect(rows.length).toBeGreaterThan(40);
  for (const row of rows) expect(row).toMatch(/\]\(\S+\.(?:test\.ts|rs) ".+"\) \|$/);
  const actors = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(actors.slice(0, 7)).toEqual([
    "An anonymous peer",
    "A user",
    "A member",
    "An owner",
    "A back end",
    "A network attacker",
    "A copied database",
  ]);
});

describe("docs/coming-from.md", () => {
  const text = readDocument("docs/coming-from.md");
  const sections = text.split(/^## /m).slice(1);
  const table = sections.find((section) => section.startsWith("Every feature")) ?? "";
  const applications = sections.filter((section) => section !== table);

  it("has five applications, each with a complete setup of at most ten lines", () => {
    expect(applications).toHaveLength(5);
    for (const section of applications) {
      const [, code = ""] = /^```tsx?\n([\s\S]*?)^```$/m.exec(section) ?? [];
      const lines = code.split("\n").filter((line) => line.trim() !== "");
      expect(lines.length, section.split("\n")[0]).toBeGreaterThan(3);
      expect(lines.length, section.split("\n")[0]).toBeLessThanOrEqual(10);
      expect(section).toContain("**It had**");
      expect(section).toContain("**Now**");
    }
  });

  it("names a test for each feature of each application", () => {
    const [head = "", , ...rows] = table.split("\n").filter((line) => line.startsWith("|"));
    const width = head.split("|").length;
    expect(width).toBe(applications.length + 3);
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const [, feature = "", ...cells] = row.split(/(?<!\\)\|/).slice(0, -1);
      expect(cells, feature).toHaveLength(applications.length);
      const tests = cells.filter((cell) => cell.trim() !== "–");
      expect(tests, feature).not.toEqual([]);
      for (const cell of tests) expect(cell, feature).toMatch(/\]\(\S+\.test\.ts ".+"\)/);
    }
  });

  it("is linked from the README and the guide", () => {
    expect(readDocument("README.md")).toContain("(docs/coming-from.md)");
    expect(readDocument("docs/guide.md")).toContain("(coming-from.md)");
  });
});
