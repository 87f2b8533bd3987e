// The command `bench:storm`.

import { command } from "../run/command.js";
import { storm } from "./storm.js";
import { table } from "./table.js";

await command({ clients: 10_000, rounds: 3 }, storm, table);
