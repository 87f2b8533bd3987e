// The glue that is written anew: the class and its helpers do what those of wasm-bindgen do, and what was generated must be
// what they were written for.

import { describe, expect, it, vi } from "vitest";
import { rewrite } from "../glue.mjs";

const generated = `
export class Core {
    free() {}
    accept(handle, offset) {
    }
    call(operation, a, b, c, d, e, x, y, z, data) {
        wasm.core_call(this.__wbg_ptr, val5, val6, val7, val8, val9, val10, ptr0, len0, ptr1, len1, ptr2, len2, ptr3, len3);
    }
    happened(what, id, value) {
    }
    constructor(host, url, session, guest_user, guest_name, has_token, websocket, polling, debug, hidden, online) {
        wasm.core_new(host, ptr0, len0, ptr1, len1, ptr2, len2, ptr3, len3, val5, val6, val7, val8, val9, val10);
    }
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg_shout_1: function() { return handleError(function (arg0, arg1) {
            shout(getStringFromWasm0(arg0, arg1));
        }, arguments); },
        __wbg_get_2: function(arg0, arg1) {
            const ret = arg1.name;
            var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
            var len1 = WASM_VECTOR_LEN;
            getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
            getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
        },
    };
    return {
        __proto__: null,
        "./everwire_bg.js": import0,
    };
}
function somethingElse(x) {
}
export { initSync, __wbg_init as default };
`;

/** The module, over exports that keep what they are called with. */
async function glued() {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let free = 8;
  const stored: unknown[] = [];
  const exports = {
    memory,
    __wbindgen_start: vi.fn(),
    __wbindgen_malloc: (size: number) => {
      free += size;
      return free - size;
    },
    __externref_table_alloc: () => 5,
    __wbindgen_externrefs: { set: (at: number, value: unknown) => stored.push([at, value]) },
    __wbindgen_exn_store: (at: number) => stored.push(at),
    core_new: vi.fn(() => 77),
    core_call: vi.fn((..._: unknown[]) => 3),
    core_accept: vi.fn(() => 1),
    core_happened: vi.fn(),
    __wbg_core_free: vi.fn(),
  };
  const module = await import(`data:text/javascript,${encodeURIComponent(rewrite(generated))}`);
  module.finish({ exports });
  const text = (at: unknown, length: unknown) =>
    new TextDecoder().decode(new Uint8Array(memory.buffer, at as number, length as number));
  return { module, exports, stored, text, memory };
}

describe("the glue", () => {
  it("starts the WebAssembly, and makes, calls and frees its core", async () => {
    const { module, exports, text } = await glued();
    expect(exports.__wbindgen_start).toHaveBeenCalledOnce();
    const host = {};
    const core = new module.Core(host, "url", "s", undefined, "näme", true, false, true, false, false, true);
    const made = exports.core_new.mock.calls[0] as unknown as unknown[];
    expect(made[0]).toBe(host);
    expect([text(made[1], made[2]), text(made[3], made[4]), text(made[7], made[8])]).toEqual([
      "url",
      "s",
      "näme",
    ]);
    expect([made.slice(5, 7), made.slice(9)]).toEqual([
      [0, 0],
      [true, false, true, false, false, true],
    ]);
    expect(core.call(4, 1, 2, 3, 4, 5, "x", undefined, undefined, "data")).toBe(3);
    const called = exports.core_call.mock.calls[0] as unknown[];
    expect(called.slice(0, 7)).toEqual([77, 4, 1, 2, 3, 4, 5]);
    expect([text(called[7], called[8]), called.slice(9, 13), text(called[13], called[14])]).toEqual([
      "x",
      [0, 0, 0, 0],
      "data",
    ]);
    expect(core.accept(1, 2)).toBe(true);
    core.happened(1, 2, "v");
    core.free();
    expect(exports.core_accept).toHaveBeenCalledWith(77, 1, 2);
    expect(exports.core_happened).toHaveBeenCalledWith(77, 1, 2, "v");
    expect(exports.__wbg_core_free).toHaveBeenCalledWith(77, 0);
  });

  it("keeps the imports: texts in both directions, and what they throw", async () => {
    const { module, stored, text, memory } = await glued();
    const imports = module.imports()["./everwire_bg.js"];
    const error = new Error("too loud");
    const heard: string[] = [];
    vi.stubGlobal("shout", (what: string) => {
      heard.push(what);
      throw error;
    });
    new Uint8Array(memory.buffer).set(new TextEncoder().encode("hé"), 1000);
    imports.__wbg_shout_1(1000, 3);
    vi.unstubAllGlobals();
    expect([heard, stored]).toEqual([["hé"], [[5, error], 5]]);
    imports.__wbg_get_2(2000, { name: "Zoë" });
    const view = new DataView(memory.buffer);
    expect(text(view.getInt32(2000, true), view.getInt32(2004, true))).toBe("Zoë");
    imports.__wbg_get_2(2000, {});
    expect(view.getInt32(2000, true)).toBe(0);
  });

  it.each([
    [
      "a signature",
      "call(operation, a, b, c, d, e, x, y, z, data)",
      "call(operation, a)",
      /does not have call/,
    ],
    ["the imports", "function __wbg_get_imports", "function imports", /does not have __wbg_get_imports/],
    ["a helper", "arg1.name;", "somethingElse(arg1);", /needs somethingElse/],
    ["a use of this", "arg1.name;", "this.name;", /not as they were/],
  ])("is refused when %s is not as it was", (_, from, to, why) => {
    expect(() => rewrite(generated.replace(from, to))).toThrow(why);
  });
});
