// The protocol's text agrees with what is generated from its definition: the fields of every frame, the codes and the names. And
// it agrees with itself: every section, table and algorithm that it refers to exists.

import { expect, it } from "vitest";
import schema from "../../protocol/generated/schema.json" with { type: "json" };
import vectors from "../../protocol/generated/vectors.json" with { type: "json" };
import { blocksOf, readDocument } from "../harness/documents";
import { grammarOf } from "../harness/grammar";
import { SPECIFICATION } from "../harness/requirements";

const CORE = "docs/protocol.md";

const TEXT = SPECIFICATION.map(readDocument).join("\n");

/** The tables of a text: each row without the outer bars, the row of the heading first. */
const TABLES: readonly (readonly string[][])[] = TEXT.split(/\n(?!\|)/)
  .filter((block) => /^\|.*\n\|-/m.test(block))
  .map((block) =>
    block
      .split("\n")
      .filter((line) => line.startsWith("|") && !line.startsWith("|-"))
      .map((line) =>
        line
          .slice(2, -2)
          .split(" | ")
          .map((cell) => cell.trim()),
      ),
  );

const CODE = /^`(\w+)`$/;

/** What the tables of fields say: of each object its fields, and whether they are optional. */
const FIELDS = TABLES.filter(([head]) => head?.slice(1).join() === "type,meaning").map(([head, ...rows]) => {
  const fields = rows.flatMap(([names = "", type = ""]) =>
    names.split(", ").map((name) => {
      const [, field = ""] = CODE.exec(name) ?? [];
      return [field, type.includes("optional")] as const;
    }),
  );
  return { name: (head?.[0] ?? "").replaceAll("`", ""), fields };
});

interface Shape {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

const DEFINITIONS = schema.$defs as Readonly<Record<string, Shape>>;

const definitionOf = (name: string) =>
  DEFINITIONS[name.replaceAll(/(?:^|[_ ])(\w)/g, (_, letter: string) => letter.toUpperCase())];

it("the fields of every frame are those of the schema", () => {
  expect(FIELDS.length).toBeGreaterThan(45);
  for (const { name, fields } of FIELDS) {
    const { properties = {}, required = [] } = definitionOf(name) ?? {};
    const expected = Object.keys(properties).map((field) => [field, !required.includes(field)]);
    expect(fields.toSorted(), name).toEqual(expected.toSorted());
  }
});

it("every frame has a table of its fields, or none", () => {
  const described = new Set(FIELDS.map(({ name }) => name));
  const requests = TABLES.find(([head]) => head?.join() === "type,fields") ?? [];
  for (const [names = "", fields = ""] of requests.slice(1)) {
    for (const name of names.split(", ").map((name) => name.replaceAll("`", ""))) {
      described.add(name);
      const { properties = {} } = definitionOf(name) ?? {};
      const named = [...fields.matchAll(/(?:^|; |, )`(\w+)`(?=[;:,]|$)/g)].map(([, field]) => field);
      expect(["id", ...named].toSorted(), name).toEqual(Object.keys(properties).toSorted());
    }
  }
  const types = [schema.$defs.ClientFrame, schema.$defs.ServerFrame].flatMap(({ oneOf }) =>
    oneOf.map(({ properties }) => properties.type.const),
  );
  const missing = types.filter((type) => !described.has(type));
  // `bye` has no fields.
  expect(missing).toEqual(["bye"]);
});

/** A table of protocol/generated/codes.md: its rows by the first cell. */
function generatedCodes(title: string): ReadonlyMap<string, readonly string[]> {
  const [, part = ""] = readDocument("protocol/generated/codes.md").split(`## ${title}`);
  const rows =
    part
      .split("\n## ")[0]
      ?.split("\n")
      .filter((line) => /^\| [`\d]/.test(line)) ?? [];
  return new Map(
    rows.map((row) => {
      const [first = "", ...others] = row.slice(2, -2).split(" | ");
      return [first.replaceAll("`", ""), others];
    }),
  );
}

const tableWith = (...head: string[]) => TABLES.find(([row]) => row?.join() === head.join())?.slice(1) ?? [];

it("the error codes are those of the definition, and those of the library are named", () => {
  const defined = generatedCodes("Error codes");
  const rows = tableWith("code", "retry", "terminal", "meaning");
  for (const [code = "", retry, terminal] of rows) {
    expect([retry, terminal], code).toEqual(defined.get(code.replaceAll("`", ""))?.slice(0, 2));
  }
  const [, others = ""] = /raises further codes itself, which never travel: ([^.]+)\./.exec(TEXT) ?? [];
  const named = [...rows.map(([code = ""]) => code), ...others.split(",")];
  expect(named.map((code) => code.trim().replaceAll("`", "")).toSorted()).toEqual(
    [...defined.keys()].toSorted(),
  );
});

it("the close codes are those of the definition", () => {
  const rows = tableWith("code", "from", "terminal", "meaning");
  const defined = [...generatedCodes("Close codes")].map(([code, [, terminal]]) => [code, terminal]);
  expect(rows.map(([code, , terminal]) => [code, terminal])).toEqual(defined);
});

const [GRAMMAR] = blocksOf(CORE).filter(({ language }) => language === "abnf");
const matches = grammarOf(GRAMMAR?.text ?? "");

/** What the parts of a vector say, each as often as it is repeated. */
const textOf = (vector: { parts?: { text: string; times: number }[] }) =>
  (vector.parts ?? []).map(({ text, times }) => text.repeat(times)).join("");

it("the grammar takes the names and ids of the valid vectors", () => {
  const texts = vectors.valid.map(({ text }) => text);
  const all = (name: string) =>
    texts.flatMap((text) =>
      [...text.matchAll(new RegExp(`"${name}":"([^"\\\\]*)"`, "g"))].map(([, it]) => it),
    );
  expect(all("channel").length).toBeGreaterThan(50);
  for (const channel of all("channel")) expect(channel).toSatisfy((it: string) => matches("channel", it));
  for (const id of [...all("id"), ...all("session"), ...all("connection")].filter(
    (it) => it?.length === 36,
  )) {
    expect(id).toSatisfy((it: string) => matches("uuid", it));
  }
});

it("the grammar refuses the names that the vectors refuse", () => {
  const refused = vectors.invalid.filter(({ name }) => /channel name/.test(name) && !/201 bytes/.test(name));
  expect(refused.length).toBeGreaterThan(3);
  for (const vector of refused) {
    const [, channel = "?"] = /"channel":"([^"]*)"/.exec(textOf(vector)) ?? [];
    // Which of the two kinds a name is decides its beginning.
    const kind = ["private", "presence"].find((kind) => channel.startsWith(`${kind}-`)) ?? "public";
    expect(matches(kind, channel), vector.name).toBe(false);
  }
});

it("the grammar has one form for each user id", () => {
  for (const { user, encoded } of vectors.users) {
    expect(matches("user-channel", `private-user.${encoded}`), user).toBe(true);
    expect(matches("plain-id", user), user).toBe(user === encoded);
    expect(matches("encoded-id", encoded), user).toBe(user !== encoded);
  }
});

it("other ids and integers are as section 14 says", () => {
  for (const uuid of ["0190A1B2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b"]) {
    expect(matches("uuid", uuid), uuid).toBe(false);
  }
  for (const integer of ["0", "1", "9007199254740991"])
    expect(matches("integer", integer), integer).toBe(true);
  for (const integer of ["", "-1", "1.0", "1e0", "01"])
    expect(matches("integer", integer), integer).toBe(false);
});

interface Frame extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

it("the examples are batches of frames of their direction, with fields that the schema has", () => {
  const lines = blocksOf(CORE)
    .filter(({ language }) => language === "dialogue")
    .flatMap(({ text }) => text.trim().split("\n"));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const [, side = "", batch = ""] = /^([CS]): (.+)$/.exec(line) ?? [];
    const { oneOf } = side === "C" ? schema.$defs.ClientFrame : schema.$defs.ServerFrame;
    for (const { type, ...fields } of JSON.parse(batch) as Frame[]) {
      expect(oneOf.map(({ properties }) => properties.type.const)).toContain(type);
      const { properties = {}, required = [] } = definitionOf(type) ?? {};
      const names = Object.keys(fields);
      expect(
        names.filter((name) => !(name in properties)),
        line,
      ).toEqual([]);
      expect(
        required.filter((name) => !names.includes(name)),
        line,
      ).toEqual([]);
    }
  }
});

it("every section, table and algorithm that the text refers to exists", () => {
  const headings = new Set([...TEXT.matchAll(/^##+ (\d+(?:\.\d+)?)/gm)].map(([, number]) => number));
  // Other standards have sections too.
  const prose = TEXT.replaceAll(/RFC \d+, section\s+\d+/g, "");
  const sections = [...prose.matchAll(/\bsections?\s+(\d+(?:\.\d+)?)/g)].map(([, number]) => number);
  expect(sections.length).toBeGreaterThan(40);
  expect(sections.filter((number) => !headings.has(number ?? ""))).toEqual([]);
  const tables = new Set([...TEXT.matchAll(/^Table (\d+\.\d+)/gm)].map(([, number]) => number));
  const named = [...TEXT.matchAll(/\btable\s+(\d+\.\d+)/g)].map(([, number]) => number);
  expect(named.filter((number) => !tables.has(number))).toEqual([]);
  const algorithms = new Set([...TEXT.matchAll(/^\*\*Algorithm (\d+):/gm)].map(([, number]) => number));
  const used = [...TEXT.matchAll(/\balgorithm\s+(\d+)/g)].map(([, number]) => number);
  expect(used.filter((number) => !algorithms.has(number))).toEqual([]);
});
