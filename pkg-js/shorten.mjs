// Makes the WebAssembly and its glue smaller, both at once. The names by which they know each other are long and have a
// hash each, which no compression helps: they become one or two letters (1.7 kB of brotli in the WebAssembly and 1.0 in the
// glue, for some 100 names). Custom sections go; nothing at run time reads them. Throws if the two do not fit together.

const IMPORTS = 2;
const EXPORTS = 7;
const CUSTOM = 0;
const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Takes and gives `wasm` (bytes) and `glue` (text). */
export function shorten(wasm, glue) {
  const reader = { bytes: wasm, at: 8 };
  const out = [...wasm.subarray(0, 8)];
  const modules = new Map();
  const imports = new Map();
  const exports = new Map();
  while (reader.at < wasm.length) {
    const id = wasm[reader.at++];
    const size = number(reader);
    const end = reader.at + size;
    let body;
    if (id === IMPORTS) body = renameImports(reader, modules, imports);
    else if (id === EXPORTS) body = renameExports(reader, exports);
    else body = [...wasm.subarray(reader.at, end)];
    if (reader.at !== end && (id === IMPORTS || id === EXPORTS)) throw new Error(`section ${id} was misread`);
    reader.at = end;
    if (id !== CUSTOM) out.push(id, ...leb(body.length), ...body);
  }
  let text = glue;
  for (const [long, short] of modules) text = replace(text, `"${long}"`, `"${short}"`);
  for (const [long, short] of imports) text = replace(text, `${long}:`, `${short}:`);
  for (const [long, short] of exports) text = replace(text, `wasm.${long}`, `wasm.${short}`, true);
  return { wasm: Uint8Array.from(out), glue: text };
}

/** Replaces whole names only; every name must be in the glue, unless only the WebAssembly itself uses it. */
function replace(text, long, short, mayMiss = false) {
  const escaped = long.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const after = /\w$/.test(long) ? "(?![\\w$])" : "";
  const result = text.replace(new RegExp(`(?<![\\w$.])${escaped}${after}`, "g"), () => short);
  if (result === text && !mayMiss) throw new Error(`the glue does not have ${long}`);
  return result;
}

function renameImports(reader, modules, names) {
  const count = number(reader);
  const body = [...leb(count)];
  for (let n = 0; n < count; n++) {
    body.push(...name(rename(modules, text(reader))), ...name(rename(names, text(reader))));
    const start = reader.at;
    const kind = reader.bytes[reader.at++];
    if (kind === 0) number(reader);
    else throw new Error("an import is not a function");
    body.push(...reader.bytes.subarray(start, reader.at));
  }
  return body;
}

function renameExports(reader, names) {
  const count = number(reader);
  const body = [...leb(count)];
  for (let n = 0; n < count; n++) {
    body.push(...name(rename(names, text(reader))));
    const start = reader.at++;
    number(reader);
    body.push(...reader.bytes.subarray(start, reader.at));
  }
  return body;
}

function rename(names, long) {
  const n = names.size;
  const short =
    n < 52 ? ALPHABET.charAt(n) : ALPHABET.charAt(Math.floor(n / 52) - 1) + ALPHABET.charAt(n % 52);
  if (!names.has(long)) names.set(long, short);
  return names.get(long);
}

/** An unsigned number in LEB128. */
function number(reader) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.bytes[reader.at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

function text(reader) {
  const size = number(reader);
  reader.at += size;
  return Buffer.from(reader.bytes.subarray(reader.at - size, reader.at)).toString("utf8");
}

function name(value) {
  const bytes = Buffer.from(value);
  return [...leb(bytes.length), ...bytes];
}

function leb(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) return bytes;
  }
}
