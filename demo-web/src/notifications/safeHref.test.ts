// Which URLs of notifications become links.

import { expect, it } from "vitest";
import { safeHref } from "./safeHref";

it.each([
  ["#/board", "#/board"],
  ["https://example.com/a", "https://example.com/a"],
  ["javascript:alert(1)", undefined],
  ["//example.com", undefined],
  ["https://bank.example@evil.example", undefined],
  [undefined, undefined],
])("%s leads to %s", (url, href) => expect(safeHref(url)).toBe(href));
