// The command `bench:fanout`.

import { command } from "../run/command.js";
import { fanout } from "./fanout.js";
import { table } from "./table.js";

await command({ receivers: 1_000, rounds: 3, messages: 200, fast: 2_000 }, fanout, table);
