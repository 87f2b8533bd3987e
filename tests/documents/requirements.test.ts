// The numbers of the protocol's requirements: each occurs once, in order, under the heading that it belongs to, with a class, in
// one sentence that can be tested; and every number that is mentioned anywhere in the repository exists.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, readDocument } from "../harness/documents";
import { readRequirements, requirementsOf, SPECIFICATION } from "../harness/requirements";

const REQUIREMENTS = readRequirements();

it("every requirement is found, and is written in one of the two forms", () => {
  expect(REQUIREMENTS.length).toBeGreaterThan(400);
  const begun = SPECIFICATION.flatMap((document) => [...readDocument(document).matchAll(/\*\*EW-/g)]);
  expect(begun).toHaveLength(REQUIREMENTS.length);
});

it("numbers are unique and ascending, and a section has its own", () => {
  const numbers = REQUIREMENTS.map(({ number }) => number);
  expect(numbers.filter((number, at) => numbers.indexOf(number) !== at)).toEqual([]);
  const wrong = REQUIREMENTS.filter((requirement, at) => {
    const before = REQUIREMENTS[at - 1];
    const inOrder =
      before?.section === requirement.section
        ? requirement.place > before.place
        : REQUIREMENTS.slice(0, at).every(({ section }) => section !== requirement.section);
    return !inOrder || Math.trunc(Number(requirement.heading)) !== requirement.section;
  });
  expect(wrong.map(({ number, heading }) => `${number} under ${heading}`)).toEqual([]);
});

it("each subsection begins with a number that is one more than a multiple of 20", () => {
  const first = REQUIREMENTS.filter(({ heading }, at) => heading !== REQUIREMENTS[at - 1]?.heading);
  expect(first.filter(({ place }) => place % 20 !== 1).map(({ number }) => number)).toEqual([]);
});

it("each requirement is one sentence with a key word", () => {
  const words = REQUIREMENTS.map(({ number, text }) => `${number} ${text}`);
  expect(words.filter((text) => !/\b(MUST|SHOULD|MAY)\b/.test(text))).toEqual([]);
  const sentences = REQUIREMENTS.filter(({ text }) => !text.includes(" | "));
  const unended = sentences.filter(({ text }) => !text.endsWith(".") || /\.\s+[A-Z]/.test(text));
  expect(unended.map(({ number, text }) => `${number} ${text}`)).toEqual([]);
});

it("every number that is mentioned exists, and none that is retired", () => {
  const known = new Set(REQUIREMENTS.map(({ number }) => number));
  const files = execFileSync("git", ["grep", "-lIE", "--untracked", "EW-[0-9]+-[0-9]+"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const unknown = files
    .trim()
    .split("\n")
    .filter((file) => !file.endsWith("documents/requirements.test.ts"))
    .flatMap((file) =>
      // The list of those that are retired is the only place that names them.
      [
        ...readFileSync(join(ROOT, file), "utf8")
          .replace(/^Retired requirements: .*$/m, "")
          .matchAll(/EW-\d+-\d+/g),
      ]
        .filter(([number]) => !known.has(number))
        .map(([number]) => `${file}: ${number}`),
    );
  expect(unknown).toEqual([]);
});

it("a requirement is read with its class, its words and its place", () => {
  const text = [
    "## 7. Lists",
    "",
    "### 7.2 Pages",
    "",
    "* **EW-7-21** [S] A server MUST",
    "  answer.",
    "* An item that is no requirement.",
    "| **EW-7-22** [CS] | MAY | when | then |",
  ].join("\n");
  const place = { section: 7, document: "a.md", heading: "7.2" };
  expect(requirementsOf("a.md", text)).toEqual([
    { number: "EW-7-21", place: 21, class: "S", text: "A server MUST answer.", line: 5, ...place },
    { number: "EW-7-22", place: 22, class: "CS", text: "MAY | when | then", line: 8, ...place },
  ]);
});
