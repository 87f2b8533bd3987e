// The command `bench:idle`.

import { command } from "../run/command.js";
import { idle } from "./idle.js";
import { table } from "./table.js";

await command({ connections: 10_000, rounds: 3 }, idle, table);
