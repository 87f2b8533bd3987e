// The documents as tests see them: their code blocks, each with its language, its place, and the reason why no test can
// run it, if its source gives one. Tests run the blocks with the test's own addresses and files instead of the printed ones.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export const readDocument = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** All documents of the repository, except the tests' and the crates' own notes to developers. */
export const DOCUMENTS: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: ROOT, encoding: "utf8" },
)
  .split("\n")
  .filter((path) => path !== "" && !path.includes("generated/"));

/** A fenced code block. */
export interface Block {
  readonly document: string;
  /** The line of its fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Why no test runs it: from a comment `<!-- not run: … -->` on the line before the fence. */
  readonly notRun?: string;
}

const FENCE = /^( *)```(\S*)$/;
const MARK = /^ *<!-- not run: (.+) -->$/;

/** The fenced code blocks of a document. */
export function blocksOf(document: string): Block[] {
  const lines = readDocument(document).split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [fence, indent = "", language = ""] = FENCE.exec(lines[at] ?? "") ?? [];
    if (fence === undefined) continue;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${document}:${at + 1}: the block has no end`);
    const text = lines.slice(at + 1, end).map((line) => `${line.slice(indent.length)}\n`);
    const [, notRun] = MARK.exec(lines[at - 1] ?? "") ?? [];
    const block = { document, line: at + 1, language, text: text.join("") };
    blocks.push(notRun === undefined ? block : { ...block, notRun });
    at = end;
  }
  return blocks;
}

export const placeOf = ({ document, line }: Block) => `${document}:${line}`;

/** Lines of blocks by indentation, which have no language and cannot be marked. */
export function indentedLines(document: string): string[] {
  const lines = readDocument(document).split("\n");
  const found: string[] = [];
  let fenced = false;
  let list = false;
  for (const [at, line] of lines.entries()) {
    if (FENCE.test(line)) fenced = !fenced;
    if (fenced || line.trim() === "") continue;
    // A paragraph in a list is indented too.
    if (!line.startsWith(" ")) list = /^([*-]|\d+\.) /.test(line);
    else if (!list && line.startsWith("    ")) found.push(`${document}:${at + 1}: ${line}`);
  }
  return found;
}

/** The pieces of code in a document's sentences that begin with this text. */
export function inlineCode(document: string, beginning: string): string[] {
  const sentences = readDocument(document).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
  return [...sentences.matchAll(/`([^`]+)`/g)]
    .map(([, code = ""]) => code.replaceAll("\n", " "))
    .filter((code) => code.startsWith(beginning));
}

/** Replaces what is printed by what the test uses, and insists that each was there. */
export function withReplaced(text: string, replacements: Readonly<Record<string, string>>): string {
  let replaced = text;
  for (const [printed, own] of Object.entries(replacements)) {
    if (!replaced.includes(printed)) throw new Error(`${printed} is not printed in:\n${text}`);
    replaced = replaced.replaceAll(printed, own);
  }
  return replaced;
}
