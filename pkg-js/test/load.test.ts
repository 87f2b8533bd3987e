// Loading: once per page, and again after a failure.

import { beforeEach, describe, expect, it, vi } from "vitest";

const init = vi.fn();
vi.mock("everwire:glue", () => ({ default: init, Core: class Core {} }));

beforeEach(() => {
  vi.resetModules();
  init.mockReset();
});

describe("loadCore", () => {
  it("asks for the WebAssembly once, however many clients there are", async () => {
    const { loadCore } = await import("../src/load.js");
    const source = vi.fn(() => "/everwire.wasm");
    const [one, two] = await Promise.all([loadCore(source), loadCore(source)]);
    expect(await loadCore(source)).toBe(one);
    expect(one).toBe(two);
    expect(source).toHaveBeenCalledOnce();
    expect(init).toHaveBeenCalledExactlyOnceWith({ module_or_path: "/everwire.wasm" });
  });

  it("takes a promise", async () => {
    const { loadCore } = await import("../src/load.js");
    await loadCore(() => Promise.resolve("/later.wasm"));
    expect(init).toHaveBeenCalledExactlyOnceWith({ module_or_path: "/later.wasm" });
  });

  it("fails with the cause, and tries again when asked again", async () => {
    const { loadCore } = await import("../src/load.js");
    init.mockRejectedValueOnce(new Error("HTTP status code is not ok"));
    const source = vi.fn(() => "/everwire.wasm");
    await expect(loadCore(source)).rejects.toThrow("HTTP status code is not ok");
    await loadCore(source);
    expect(source).toHaveBeenCalledTimes(2);
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
