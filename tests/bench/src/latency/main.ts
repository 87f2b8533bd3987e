// The command `bench:latency`.

import { command } from "../run/command.js";
import { latency } from "./latency.js";
import { table } from "./table.js";

await command({ messages: 200, rounds: 2, crowd: 500 }, latency, table);
