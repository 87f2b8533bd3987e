// The documents are correct: code in them type-checks against the package, setups are as short as they claim, and tests
// that they name exist.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The documents whose code is checked. */
const DOCUMENTS = ["README.md", "docs/guide.md", "docs/coming-from.md"];

/** What the code in the documents uses from the application around it. */
const AROUND = `
declare const client: import("everwire").Client;
declare const id: string;
declare function render(): void;
declare function fetchToken(): Promise<string>;
declare function showStatus(...what: string[]): void;
declare function showMessage(name: string | undefined, text: string): void;
declare function showMembers(names: readonly string[]): void;
declare function showChats(chats: readonly import("everwire/chat").Chat[], unread: number): void;
declare function showRoom(
  rows: readonly import("everwire/chat").Row[],
  typists: readonly import("everwire").Typist[],
  here: readonly import("everwire").Member[],
): void;
declare function showToast(title: string, message: string): void;
declare function refresh(entity: string, action: string, data: unknown): void;
declare function onKey(listener: () => void): void;
declare function onSubmit(listener: (text: string) => void): void;
declare function onSeen(listener: (id: string) => void): void;
`;

interface Code {
  readonly language: string;
  readonly text: string;
}

/** The fenced code blocks of a document. */
function blocks(document: string): Code[] {
  const fences = read(document).matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = "", text = ""]) => ({ language, text }));
}

it("code in the documents type-checks against the package", async () => {
  const directory = join(root, "tests/output/docs");
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  let count = 0;
  for (const document of DOCUMENTS) {
    for (const [at, { language, text }] of blocks(document).entries()) {
      if (language !== "ts" && language !== "tsx") continue;
      const name = `${document.replaceAll("/", "-").replace(".md", "")}-${at}.${language}`;
      // Each block is a module of its own, even where it continues an earlier one.
      writeFileSync(join(directory, name), `${text}export {};\n`);
      count++;
    }
  }
  expect(count).toBeGreaterThanOrEqual(6);
  writeFileSync(join(directory, "around.d.ts"), AROUND);
  const config = {
    extends: "../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false },
    include: ["*.ts", "*.tsx"],
    exclude: [],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const said = await promisify(execFile)(process.execPath, [tsc, "-p", directory]).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ stdout, stderr }),
  );
  expect(said.stdout + said.stderr).toBe("");
});

describe("docs/coming-from.md", () => {
  const sections = read("docs/coming-from.md").split(/^## /m).slice(1);
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

  it("names an existing test for each feature of each application", () => {
    const [head = "", , ...rows] = table.split("\n").filter((line) => line.startsWith("|"));
    const width = head.split("|").length;
    expect(width).toBe(applications.length + 3);
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const [, feature = "", ...cells] = row.split(/(?<!\\)\|/);
      expect(row.split("|").length, feature).toBe(width);
      expect(
        cells.some((cell) => cell.includes("](")),
        `${feature} has a test`,
      ).toBe(true);
      for (const cell of cells.slice(0, -1)) {
        if (cell.trim() === "–") continue;
        const [, path = "", title = ""] = /\]\((\S+) "(.+)"\)/.exec(cell) ?? [];
        const file = join("docs", path);
        expect(existsSync(join(root, file)), `${feature}: ${cell}`).toBe(true);
        expect(titles(file), `${feature}: ${path}`).toContain(title);
      }
    }
  });

  it("is linked from the README and the guide", () => {
    expect(read("README.md")).toContain("(docs/coming-from.md)");
    expect(read("docs/guide.md")).toContain("(coming-from.md)");
  });
});

/** The titles of the tests in a file. */
function titles(file: string): string[] {
  const calls = read(file).matchAll(/\b(?:it|test|everyTransport)\(\s*("(?:[^"\\]|\\.)*"|'[^']*')/g);
  return [...calls].map(([, text = '""']) => (text.startsWith('"') ? JSON.parse(text) : text.slice(1, -1)));
}
