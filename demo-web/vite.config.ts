// The build and the development server of the demo. Everwire needs no configuration: the package's default entry
// contains its WebAssembly.

import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/**
 * The Content-Security-Policy of the built page. `wasm-unsafe-eval` is all that WebAssembly needs; `ws:` and `wss:` are
 * listed because not every browser includes them in 'self'. In the build only: Vite's development server injects a
 * script.
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
  // The server that `vite dev` uses: one started with `everwire-server --dev`.
  const { EVERWIRE_URL: target = "http://127.0.0.1:8787" } = loadEnv(mode, ".", "EVERWIRE_");
  return {
    base: "./",
    plugins: [react(), contentSecurityPolicy],
    build: {
      target: "es2023",
      sourcemap: true,
      // Small assets as data: URLs would need a wider policy.
      assetsInlineLimit: 0,
    },
    server: { proxy: { "/everwire": { target, ws: true } } },
  };
});
