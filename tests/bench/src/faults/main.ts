// The command `bench:faults`.

import { command } from "../run/command.js";
import { faults } from "./faults.js";
import { table } from "./table.js";

await command({ rounds: 3 }, faults, table);
