// The command `bench:sends`.

import { command } from "../run/command.js";
import { sends } from "./sends.js";
import { table } from "./table.js";

await command({ messages: 2_000, rounds: 3 }, sends, table);
