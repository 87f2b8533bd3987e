// The command `bench:connect`.

import { command } from "../run/command.js";
import { connect } from "./connect.js";
import { table } from "./table.js";

await command({ rounds: 11, "round-trip": 40 }, connect, table);
