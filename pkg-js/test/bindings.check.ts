// Types, checked by tsc, not run: two arguments of an operation that are swapped do not compile.

import type { Core, Handle } from "../src/generated/bindings.js";

declare const core: Core;
declare const handle: Handle;
declare const offset: number;

core.mark({ handle, delivered: 4, read: 5 });
core.mark({ read: 5, delivered: 4, handle });
// @ts-expect-error: an offset is no handle
core.mark({ handle: offset, delivered: 4, read: 5 });
// @ts-expect-error: arguments are named
core.mark(handle, 4, 5);
core.accept(handle, offset);
// @ts-expect-error: swapped
core.accept(offset, handle);
core.goaway({ delay_ms: 1, spread_ms: 2, reason: "restart" });
// @ts-expect-error: swapped
core.goaway({ delay_ms: 1, spread_ms: "restart", reason: 2 });
// @ts-expect-error: one is missing
core.goaway({ delay_ms: 1, reason: "restart" });
// @ts-expect-error: there is no such argument
core.ack({ id: "i", head: 3 });
// @ts-expect-error: any number is not a handle
core.unsubscribe({ handle: 1 });
