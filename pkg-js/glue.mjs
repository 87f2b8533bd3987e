// Writes the glue between JavaScript and the WebAssembly anew, half as large. Of what wasm-bindgen generates it keeps the
// imports, word for word; around them it has its own class and its own few helpers, without what nobody uses here: a
// finalizer (the client frees its core), a loader (src/wasm/load.ts is one), and a second way to write texts that is faster
// for long ones. Throws if what is generated looks different from what these were written for.

const SIGNATURES = [
  "accept(handle, offset) {",
  "call(operation, a, b, c, d, e, x, y, z, data) {",
  "happened(what, id, value) {",
  "constructor(host, url, session, guest_user, guest_name, has_token, websocket, polling, debug, hidden, online) {",
  "core_new(host, ptr0, len0, ptr1, len1, ptr2, len2, ptr3, len3, val5, val6, val7, val8, val9, val10)",
  "core_call(this.__wbg_ptr, val5, val6, val7, val8, val9, val10, ptr0, len0, ptr1, len1, ptr2, len2, ptr3, len3)",
];

const CLASS = `
export class Core {
  constructor(host, ...rest) {
    this._ptr = wasm.core_new(host, ...texts(rest.slice(0, 4)), ...rest.slice(4));
  }
  accept(handle, offset) {
    return wasm.core_accept(this._ptr, handle, offset) !== 0;
  }
  call(...all) {
    return wasm.core_call(this._ptr, ...all.slice(0, 6), ...texts(all.slice(6)));
  }
  happened(what, id, value) {
    wasm.core_happened(this._ptr, what, id, value);
  }
  free() {
    wasm.__wbg_core_free(this._ptr, 0);
  }
}
const texts = (list) => list.flatMap((text) => (isLikeNone(text) ? [0, 0] : [passStringToWasm0(text), WASM_VECTOR_LEN]));
export const finish = (instance) => {
  wasm = instance.exports;
  wasm.__wbindgen_start();
};
let wasm;
let WASM_VECTOR_LEN;
`;

// Views of the memory are made when they are needed: it may have grown since the last time.
const HELPERS = {
  isLikeNone: "(x) => x == null",
  getDataViewMemory0: "() => new DataView(wasm.memory.buffer)",
  getStringFromWasm0: `(ptr, len) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(wasm.memory.buffer, ptr >>> 0, len))`,
  passStringToWasm0: `(text) => {
  const bytes = new TextEncoder().encode(text);
  WASM_VECTOR_LEN = bytes.length;
  const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN, 1) >>> 0;
  new Uint8Array(wasm.memory.buffer).set(bytes, ptr);
  return ptr;
}`,
  addToExternrefTable0: `(value) => {
  const at = wasm.__externref_table_alloc();
  wasm.__wbindgen_externrefs.set(at, value);
  return at;
}`,
  // For the imports that may throw: the error waits until the WebAssembly asks for it.
  handleError: `(act) => (...args) => {
  try {
    return act(...args);
  } catch (error) {
    wasm.__wbindgen_exn_store(addToExternrefTable0(error));
  }
}`,
};

/** Takes and gives the text of an ES module; what comes out exports `Core`, `imports` and `finish`. */
export function rewrite(generated) {
  for (const signature of SIGNATURES) {
    if (!generated.includes(signature)) throw new Error(`the glue does not have ${signature}`);
  }
  const imports = /function __wbg_get_imports\(\) \{\n.*?\n\}/s.exec(generated)?.[0];
  if (imports === undefined) throw new Error("the glue does not have __wbg_get_imports");
  const known = new Set(Object.keys(HELPERS));
  for (const [, name] of generated.matchAll(/^(?:async )?function (\w+)\(/gm)) {
    if (name !== "__wbg_get_imports" && !known.has(name) && new RegExp(`\\b${name}\\(`).test(imports)) {
      throw new Error(`the glue needs ${name}, and there is no helper of this name`);
    }
  }
  const short = imports
    .replace("function __wbg_get_imports", "export function imports")
    .replaceAll("__proto__: null,", "")
    .replaceAll("function() { return handleError(function (", "handleError(function (")
    .replaceAll("}, arguments); }", "})");
  if (/\bthis\b|\barguments\b/.test(short)) throw new Error("the glue's imports are not as they were");
  const helpers = Object.entries(HELPERS).map(([name, text]) => `const ${name} = ${text};\n`);
  return CLASS + helpers.join("") + short;
}
