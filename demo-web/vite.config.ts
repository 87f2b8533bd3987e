// How the demo is built and served while it is worked on. It needs no setting of its own for Everwire: the package's
// default entry brings its WebAssembly along.

import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/**
 * The policy that the built page lives under. `wasm-unsafe-eval` is all that WebAssembly needs; `ws:` and `wss:` are named
 * because not every browser takes 'self' to include them. Only in the build: Vite's development server injects a script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig(({ mode }) => {
  // Where `vite dev` finds a server: one started with `everwire-server --dev`.
  const { EVERWIRE_URL: target = "http://127.0.0.1:8787" } = loadEnv(mode, ".", "EVERWIRE_");
  return {
    base: "./",
    plugins: [react(), contentSecurityPolicy],
    build: {
      target: "es2023",
      sourcemap: true,
      // A small asset as a data: address would need a wider policy.
      assetsInlineLimit: 0,
    },
    server: { proxy: { "/everwire": { target, ws: true } } },
  };
});
