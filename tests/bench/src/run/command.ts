// The command line of a benchmark: its parameters, the progress, and the result as a table or as JSON.

import { parseArgs } from "node:util";

/** Numeric flags with their defaults. */
type Numbers = Record<string, number>;

/** Runs a benchmark. Progress goes to standard error, the result to standard output. */
export async function command<Options extends Numbers, Result>(
  defaults: Options,
  run: (options: Options & { progress(line: string): void }) => Promise<Result>,
  table: (result: Result) => string,
): Promise<void> {
  const flags = Object.keys(defaults).map((name) => [name, { type: "string" }] as const);
  const { values } = parseArgs({ options: { json: { type: "boolean" }, ...Object.fromEntries(flags) } });
  const given: Record<string, string | boolean | undefined> = values;
  const numbers = Object.entries(defaults).map(([name, byDefault]) => {
    const value = given[name] === undefined ? byDefault : Number(given[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a positive integer.`);
    return [name, value];
  });
  const options = Object.fromEntries(numbers) as Options;
  const result = await run({ ...options, progress: (line) => console.error(`  ${line}`) });
  console.log(values.json ? JSON.stringify(result, null, 2) : `\n${table(result)}`);
}
