// The protocol's text agrees with what is generated from its definition: the fields of every frame, the codes and the names. And
// it agrees with itself: every section, table and algorithm that it refers to exists.

import { expect, it } from "vitest";
import * as definition from "../../protocol/generated/protocol";
import schema from "../../protocol/generated/schema.json" with { type: "json" };
import vectors from "../../protocol/generated/vectors.json" with { type: "json" };
import { blocksOf, readDocument } from "../harness/documents";
import { grammarOf } from "../harness/grammar";
import { readRequirements, SPECIFICATION } from "../harness/requirements";

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
  const types = [schema.$defs.ClientFrame, schema.$defs.ServerFrame].flatMap(
    ({ properties }) => properties.type.enum,
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

/** The constants of the definition that requirements state, as they state them. */
const STATED: Readonly<Record<string, readonly (string | number)[]>> = {
  "EW-3-1": [definition.WEBSOCKET_PATH, definition.SUBPROTOCOL],
  "EW-3-21": [definition.POLL_PATH],
  "EW-3-57": [definition.POLL_HOLD_MS],
  "EW-3-82": [definition.MAX_POST_FRAMES],
  "EW-3-83": [definition.MAX_POST_FRAMES],
  "EW-3-123": [definition.POLL_INTERVAL_MS / 1_000],
  "EW-3-129": [(definition.POLL_ABORT_MS - definition.POLL_HOLD_MS) / 1_000],
  "EW-5-26": [definition.MAX_RECENT],
  "EW-6-124": [definition.MAX_EVENT_BYTES],
  "EW-8-2": [definition.PING_INTERVAL_MS],
  "EW-8-4": [definition.PING_GRACE_MS / 1_000],
  "EW-12-1": [definition.MAX_CHANNEL_BYTES],
  "EW-12-2": [definition.USER_PREFIX],
  "EW-12-22": [definition.EVERYONE],
  "EW-12-24": [definition.MESSAGES_PREFIX, definition.PRESENCE_PREFIX],
  "EW-12-25": [definition.PRESENCE_USERS],
  "EW-13-6": [definition.MAX_NAME_BYTES],
  "EW-13-7": [definition.MAX_TOKEN_BYTES],
  // The batch is a level too.
  "EW-14-3": [definition.MAX_DEPTH - 1],
};

it("the numbers and names in requirements are those of the definition", () => {
  const requirements = new Map(readRequirements().map(({ number, text }) => [number, text]));
  for (const [number, values] of Object.entries(STATED)) {
    const text = requirements.get(number)?.replaceAll(/(\d),(?=\d)/g, "$1") ?? "";
    for (const value of values) {
      const whole = typeof value === "number" ? new RegExp(`\\b${value}\\b`) : value;
      expect(text, number).toMatch(whole);
    }
  }
  expect(definition.MAX_OFFSET).toBe(2 ** 53 - 1);
  const limits = tableWith("`limits`", "type", "meaning").map(([name = "", , meaning = ""]) => [
    name,
    /: ([\d,]+) at most/.exec(meaning)?.[1]?.replace(",", ""),
  ]);
  expect(limits.slice(0, 4)).toEqual([
    ["`payload_bytes`", String(definition.MAX_PAYLOAD_BYTES)],
    ["`batch_bytes`", String(definition.MAX_BATCH_BYTES)],
    ["`batch_frames`", String(definition.MAX_BATCH_FRAMES)],
    ["`subscriptions`", String(definition.MAX_SUBSCRIPTIONS)],
  ]);
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
    const { properties: known } = side === "C" ? schema.$defs.ClientFrame : schema.$defs.ServerFrame;
    for (const { type, ...fields } of JSON.parse(batch) as Frame[]) {
      expect(known.type.enum).toContain(type);
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
