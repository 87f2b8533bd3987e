// A web server for built files: compressed with Brotli, and cached by browsers forever except for the page.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, constants } from "node:zlib";
import type { Files } from "./bundle.js";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  wasm: "application/wasm",
};

export interface Site {
  readonly port: number;
  stop(): Promise<void>;
}

/** A page that runs one module. */
export const html = (script: string) =>
  new TextEncoder().encode(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Benchmark</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`,
  );

export async function startSite(files: Files): Promise<Site> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  const compressed = new Map(
    [...files].map(([path, content]) => [path, brotliCompressSync(content, quality)]),
  );
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [plain, brotli] = [files.get(pathname), compressed.get(pathname)];
    if (plain === undefined || brotli === undefined) {
      response.writeHead(404).end();
      return;
    }
    const encoded = /\bbr\b/.test(String(request.headers["accept-encoding"]));
    const ending = pathname.split(".").at(-1) ?? "";
    response.writeHead(200, {
      "content-type": TYPES[ending] ?? "application/octet-stream",
      "cache-control": ending === "html" ? "no-store" : "public, max-age=31536000, immutable",
      ...(encoded && { "content-encoding": "br" }),
    });
    response.end(encoded ? brotli : plain);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
