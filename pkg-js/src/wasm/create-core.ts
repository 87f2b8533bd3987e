// The interface `Core` of ../generated/bindings.ts over the class that wasm-bindgen generates. That has one function for
// all operations, and its host one for all calls, because every exported or imported function adds to the download
// (docs/size.md). Their arguments are numbers and strings in fixed positions, "registers"; the generated tables map named
// arguments to them.

import {
  CORE_OPTIONS,
  type Core,
  type CoreOptions,
  HOST_CALLS,
  HOST_NUMBERS,
  type Host,
  NUMBERS,
  OPERATIONS,
} from "../generated/bindings.js";

/** The constructor of a core. */
export type CoreClass = new (host: Host, options: CoreOptions) => Core;

/** A number or a string; undefined if absent, or negative for an absent number from the core. */
export type Register = number | string | boolean | undefined;

/** The object that the core calls. */
export interface RawHost {
  batch(frames: unknown): void;
  call(number: number, ...registers: Register[]): void;
  /** Returns a function that calls `browser_event` with these and its argument while there is a core. Does not throw. */
  handler(event: number, id: number): (value: unknown) => void;
  socket(): WebSocket;
}

/** The class that wasm-bindgen generates. */
export interface RawCore {
  accept(handle: number, offset: number, count: number): boolean;
  browser_event(event: number, id: number, value: unknown): void;
  call(number: number, ...registers: Register[]): unknown;
  free(): void;
}

export type RawCoreClass = new (host: RawHost, ...registers: Register[]) => RawCore;

type Arguments = Record<string, Register>;

/** The name in a line of a table, and the names of the arguments by register: `size` numbers, then texts. */
function parse(line: string, size: number): [name: string, registers: string[]] {
  const [name = "", numbers = "", texts = ""] = line.split(":");
  const registers = numbers.split(" ");
  registers.length = size;
  return [name, registers.concat(texts.split(" "))];
}

// An optional field of a frame may be null, which is read as absent.
const load = (registers: string[], args: Arguments): Register[] =>
  Array.from(registers, (name) => args[name] ?? undefined);

/** Wraps the generated class as `Core`. */
export function createCore(Raw: RawCoreClass): CoreClass {
  const hostCalls = HOST_CALLS.map((line) => {
    const [name, registers] = parse(line, HOST_NUMBERS);
    // The names that a number stands for follow the argument's name.
    return [name, registers.map((register) => register.split("="))] as const;
  });

  class WasmCore {
    readonly #raw: RawCore;
    #freed = false;
    // The stretch that is being delivered: which entry continues it, and which is the first that the core has not heard of.
    #handle = 0;
    #next = Number.NaN;
    #untold = Number.NaN;

    constructor(host: Host, options: CoreOptions) {
      const raw: RawHost = {
        batch: (frames) => {
          host.batch(frames);
          this.#settle();
        },
        socket: host.socket,
        call: (number, ...values) => {
          const [name = "", registers = []] = hostCalls[number] ?? [];
          const args: Arguments = {};
          values.forEach((value, at) => {
            const [argument = "", names] = registers[at] ?? [];
            const present = typeof value !== "number" || value >= 0;
            if (present) args[argument] = names ? names.split("|")[value as number] : value;
          });
          (host as unknown as Record<string, (args: Arguments) => void>)[name]?.(args);
        },
        handler: (event, id) => (value) => {
          if (this.#freed) return;
          try {
            this.#settle();
            this.#raw.browser_event(event, id, value);
          } catch (cause) {
            host.broken(cause);
          }
        },
      };
      this.#raw = new Raw(raw, ...load(parse(CORE_OPTIONS, NUMBERS)[1], options as unknown as Arguments));
    }

    // One question for an entry and all that directly follow it: crossing costs as much as all other checks together.
    accept(handle: number, offset: number): boolean {
      if (handle !== this.#handle || offset !== this.#next) {
        this.#settle();
        if (!this.#raw.accept(handle, offset, 1)) return false;
        this.#handle = handle;
        this.#untold = offset + 1;
      }
      this.#next = offset + 1;
      return true;
    }

    /** Tells the core how far the stretch came, before it hears of anything else. */
    #settle(): void {
      const count = this.#next - this.#untold;
      if (count > 0) this.#raw.accept(this.#handle, this.#untold, count);
      this.#next = this.#untold = Number.NaN;
    }

    free(): void {
      this.#freed = true;
      this.#raw.free();
    }

    _call(number: number, registers: string[], args: Arguments = {}): unknown {
      try {
        this.#settle();
        return this.#raw.call(number, ...load(registers, args));
      } catch (cause) {
        // A refusal is thrown as its code; anything else is a bug.
        throw typeof cause === "string" ? { code: cause } : cause;
      }
    }
  }
  OPERATIONS.forEach((line, number) => {
    const [name, registers] = parse(line, NUMBERS);
    Object.assign(WasmCore.prototype, {
      [name](this: WasmCore, args?: Arguments) {
        return this._call(number, registers, args);
      },
    });
  });
  return WasmCore as unknown as CoreClass;
}
