// Loading: once per page, again after a failure, and from everything that the slim entry takes.

import { beforeEach, describe, expect, it, vi } from "vitest";

const finish = vi.fn();
const imports = vi.fn(() => ({ a: { a: () => {} } }));
/** The modules after a reload of the page. */
async function fresh() {
  const [{ loadCore }, { from }] = await Promise.all([
    import("../src/wasm/load.js"),
    import("../src/wasm/source.js"),
  ]);
  return (source: Parameters<typeof from>[0]) => loadCore(from(source));
}

vi.mock("everwire:glue", () => ({ finish, imports, Core: class Core {} }));

// (module (import "a" "a" (func)) (func (export "a") call 0))
const wasm = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x61, 1, 0x61, 0, 0, 3, 2, 1, 0, 7, 5, 1,
  1, 0x61, 0, 1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b,
]);
const response = (type: string) => new Response(wasm, { headers: { "content-type": type } });

beforeEach(() => {
  vi.resetModules();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  finish.mockReset();
});

describe("loadCore", () => {
  it("requests the WebAssembly once for all clients", async () => {
    const loadCore = await fresh();
    const source = vi.fn(() => wasm);
    const [one, two] = await Promise.all([loadCore(source), loadCore(source)]);
    expect(await loadCore(source)).toBe(one);
    expect(one).toBe(two);
    expect(source).toHaveBeenCalledOnce();
    expect(finish).toHaveBeenCalledExactlyOnceWith(expect.any(WebAssembly.Instance));
  });

  it.each(["<!doctype html>", ""])("says so if the response is not WebAssembly but %j", async (body) => {
    vi.stubGlobal("fetch", async () => new Response(body, { headers: { "content-type": "text/html" } }));
    const loadCore = await fresh();
    const failed = loadCore(() => "/everwire.wasm");
    await expect(failed).rejects.toThrow("is not WebAssembly");
    // The application may be in the middle of a deployment.
    await expect(failed).rejects.not.toBeInstanceOf(WebAssembly.CompileError);
  });

  it.each<[string, () => unknown]>([
    ["bytes", () => wasm],
    ["a buffer", () => wasm.buffer],
    ["a module", () => new WebAssembly.Module(wasm)],
    ["a response", () => response("application/wasm")],
    ["a response of another type", () => response("application/octet-stream")],
    ["a promise", () => Promise.resolve(wasm)],
    ["a promise of a response", async () => response("application/wasm; charset=x")],
    ["a path", () => "/everwire.wasm"],
    ["a URL", () => new URL("https://x/everwire.wasm")],
  ])("takes %s", async (_, source) => {
    const fetched = vi.fn(async () => response("application/wasm"));
    vi.stubGlobal("fetch", fetched);
    const loadCore = await fresh();
    await loadCore(source as () => Uint8Array<ArrayBuffer>);
    expect(Object.keys(finish.mock.calls[0]?.[0].exports)).toEqual(["a"]);
    expect(fetched).toHaveBeenCalledTimes(_ === "a path" || _ === "a URL" ? 1 : 0);
  });

  it("compiles a response while it streams", async () => {
    const streaming = vi.spyOn(WebAssembly, "instantiateStreaming");
    const loadCore = await fresh();
    await loadCore(() => response("application/wasm"));
    expect(streaming).toHaveBeenCalledOnce();
  });

  it.each<[string, () => Response | Uint8Array<ArrayBuffer>, RegExp]>([
    ["a missing file", () => new Response("", { status: 404 }), /HTTP status 404/],
    ["a page instead of the file", () => new Response("<!doctype html>"), /WebAssembly/],
    ["invalid bytes", () => Uint8Array.of(1, 2, 3), /WebAssembly/],
  ])("fails with %s, and retries at the next call", async (_, source, why) => {
    const loadCore = await fresh();
    await expect(loadCore(source)).rejects.toThrow(why);
    await loadCore(() => wasm);
    expect(finish).toHaveBeenCalledOnce();
  });
});

describe("connect of the slim entry", () => {
  it("needs the WebAssembly", async () => {
    const { connect } = await import("../src/slim.js");
    expect(() => connect({ url: "https://x" } as never)).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  });
});
