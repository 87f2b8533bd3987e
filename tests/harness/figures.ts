// Measurements: printed, and written to tests/output/figures.json. A figure is a report, not an assertion; where a
// promise gives a bound, the test that measures asserts it.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const OUTPUT = resolve(import.meta.dirname, "../output");
const PARTS = join(OUTPUT, "figures");

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bound of a promise. */
  readonly bound?: number;
}

/** Records a measurement. Test files run in parallel, so each figure has a file of its own. */
export function figure(name: string, value: number, unit: string, bound?: number): void {
  const figure: Figure = {
    name,
    value: Math.round(value * 100) / 100,
    unit,
    ...(bound !== undefined && { bound }),
  };
  console.log(`figure: ${name}: ${figure.value} ${unit}${bound === undefined ? "" : ` (at most ${bound})`}`);
  mkdirSync(PARTS, { recursive: true });
  writeFileSync(join(PARTS, `${name.replace(/\W+/g, "-")}.json`), JSON.stringify(figure));
}

/** Before a run: removes the figures of earlier runs. */
export function forgetFigures(): void {
  rmSync(PARTS, { recursive: true, force: true });
}

/** After a run: collects all figures in one file. */
export function collectFigures(): void {
  mkdirSync(PARTS, { recursive: true });
  const figures = readdirSync(PARTS)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(PARTS, file), "utf8")) as Figure);
  writeFileSync(join(OUTPUT, "figures.json"), `${JSON.stringify(figures, null, 2)}\n`);
}
