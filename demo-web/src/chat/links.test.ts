// What is linked, and what is not.

import { expect, it } from "vitest";
import { piecesOf } from "./links";

function links(text: string): string[] {
  const pieces = piecesOf(text);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  return pieces.flatMap((piece) => ("href" in piece ? [piece.href] : []));
}

it("finds URLs in a sentence, without its punctuation", () => {
  expect(links("see https://a.example/x?y=1#z, or http://b.example.")).toEqual([
    "https://a.example/x?y=1#z",
    "http://b.example/",
  ]);
});

it("keeps brackets inside a URL, and drops those around it", () => {
  expect(links("https://a.example/x_(y)")).toEqual(["https://a.example/x_(y)"]);
  expect(links("(https://a.example/x)")).toEqual(["https://a.example/x"]);
});

it.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "www.example.com",
  "https://",
  "https://bank.example@evil.example/",
])("does not link %s", (text) => expect(links(text)).toEqual([]));

it("returns plain text as one part", () => {
  expect(piecesOf("nothing here")).toEqual([{ text: "nothing here" }]);
  expect(piecesOf("")).toEqual([]);
});
