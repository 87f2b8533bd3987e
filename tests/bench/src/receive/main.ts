// The command `bench:receive`. Messages as many as take a bare loop a good part of a second at its best.

import { command } from "../run/command.js";
import { receive } from "./receive.js";
import { table } from "./table.js";

await command({ messages: 60_000, rounds: 5 }, receive, table);
