// The golden vectors against the JSON Schema: what a third party would use to check its own frames. Run by
// `cargo xtask test --only schema`.

import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";

const read = (name) => JSON.parse(readFileSync(new URL(`../generated/${name}`, import.meta.url), "utf8"));
const schema = read("schema.json");
const vectors = read("vectors.json");

// A pattern says what the format says, and more.
const ajv = new Ajv2020({
  formats: { uuid: true },
  allErrors: true,
  allowUnionTypes: true,
  strictTypes: false,
});
ajv.addKeyword({
  keyword: "x-maxBytes",
  type: "string",
  validate: (most, text) => Buffer.byteLength(text) <= most,
});
// The words of a list to which newer servers may add: for those who say them, not for those who read them.
ajv.addKeyword("x-extensible-enum");
ajv.addSchema(schema);
const validators = {
  client: ajv.getSchema(`${schema.$id}#/$defs/ClientBatch`),
  server: ajv.getSchema(`${schema.$id}#/$defs/ServerBatch`),
};

/** The errors that the schema finds, for a message; empty if there are none. */
function errors(direction, batch) {
  const validate = validators[direction];
  return validate(batch) ? "" : ajv.errorsText(validate.errors);
}

describe("a valid vector", () => {
  test.each(vectors.valid)("means frames that the schema allows: $name", ({ direction, frames }) => {
    expect(errors(direction, frames)).toBe("");
  });

  test.each(vectors.valid.filter(({ canonical }) => canonical))(
    "that is canonical is the JSON of its frames: $name",
    ({ text, frames }) => {
      expect(JSON.parse(text)).toEqual(frames);
    },
  );
});

describe("an invalid vector", () => {
  const batchOf = ({ parts }) => parts.map(({ text, times }) => text.repeat(times)).join("");
  const withBadFrame = vectors.invalid.filter(({ error }) => error.frame !== undefined);

  /**
   * What no schema can see (docs/protocol.md, section 14.6): JSON.parse keeps the last of two fields of one name, reads 1e400 as infinity
   * and 1.0 as 1, and the patterns of a schema do not apply to every text.
   */
  const seenByParsersOnly = [
    "a field that comes twice",
    "a type that comes twice",
    "a key that comes twice",
    "a key that comes twice, escaped once",
    "a key that comes twice in data",
    "a lone surrogate in a field",
    "a lone surrogate in data",
    "a noncharacter in a field",
    "a noncharacter in the data of a signal",
    "a number out of range",
    "a number out of range in data",
    "an integer with a fraction of 0",
    "an integer with an exponent",
    "an integer with a minus before 0",
    "data of 32 KiB and one byte",
    "nesting of 33 levels",
    "data that nests too deeply",
  ];

  test.each(withBadFrame.filter(({ name }) => !seenByParsersOnly.includes(name)))(
    "has one frame that the schema refuses: $name",
    (vector) => {
      const batch = JSON.parse(batchOf(vector));
      expect(errors(vector.direction, [batch[vector.error.frame]])).not.toBe("");
      const others = batch.filter((_, place) => place !== vector.error.frame);
      expect(errors(vector.direction, others)).toBe("");
      expect(others).toEqual(vector.frames);
    },
  );

  test.each(vectors.invalid.filter(({ error }) => error.code === "invalid_batch"))(
    "of a whole batch is no JSON or nests too deep: $name",
    (vector) => {
      const text = batchOf(vector);
      let batch;
      try {
        batch = JSON.parse(text);
      } catch {
        return;
      }
      expect(errors(vector.direction, batch)).not.toBe("");
    },
  );
});

describe("an event that every application understands", () => {
  test.each(vectors.events)("fits its schema, or does not: $name", ({ event, data, fits }) => {
    const { $ref } = schema.$defs.StandardEvents.properties[event];
    const validate = ajv.getSchema(`${schema.$id}${$ref}`);
    expect(validate(data)).toBe(fits);
  });
});
