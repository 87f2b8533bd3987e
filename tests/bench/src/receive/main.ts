// The command `bench:receive`. Enough messages to keep a bare loop busy for a good part of a second.

import { command } from "../run/command.js";
import { receive } from "./receive.js";
import { table } from "./table.js";

await command({ messages: 60_000, rounds: 5 }, receive, table);
