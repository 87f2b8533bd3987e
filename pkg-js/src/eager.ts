// An entry that is the default one, except that ../build.mjs makes it import the chunk with the WebAssembly, too: it is loaded
// together with the JavaScript and not when a client connects. For pages that connect as soon as they are shown.

export * from "./index.js";
