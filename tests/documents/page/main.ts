// The page in which the code blocks of the documents run, each in a page of its own: it provides what they use from an
// application (around.d.ts), records their calls and what they log, and mounts their components.

/// <reference types="vite/client" />
import { type Client, connect } from "everwire";
import { EverwireProvider } from "everwire/react";
import { EverwireProvider as VueProvider } from "everwire/vue";
import { type ComponentType, createElement } from "react";
import { createRoot } from "react-dom/client";
import { createApp, defineComponent, h } from "vue";

const blocks = import.meta.glob<Record<string, unknown>>("./blocks/*.{ts,tsx}");

/** The application's functions: those that show something, and those that tell of its user. */
const FUNCTIONS =
  "render toast badge showStatus showMessage showMembers showChats showRoom showToast refresh".split(" ");
const LISTENERS = ["onKey", "onSubmit", "onSeen"];

const calls: [string, ...unknown[]][] = [];
const logged: string[] = [];
const listeners = new Map<string, (...args: unknown[]) => void>();
let token = "";
let client: Client | undefined;
let module: Record<string, unknown> = {};

const { log } = console;
console.log = (...what: unknown[]) => {
  logged.push(what.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(" "));
  log(...what);
};

const copyOf = (args: unknown[]) => JSON.parse(JSON.stringify(args)) as unknown[];

const around: Record<string, unknown> = {
  id: "01930000-0000-7000-8000-000000000007",
  fetchToken: async () => token,
};
for (const name of FUNCTIONS) {
  // As they were then: rows and lists change.
  around[name] = (...args: unknown[]) => calls.push([name, ...copyOf(args)]);
}
for (const name of LISTENERS) {
  around[name] = (listener: (...args: unknown[]) => void) => listeners.set(name, listener);
}
Object.assign(globalThis, around);
Object.defineProperty(globalThis, "client", { get: () => theClient() });

/** The client that blocks use which do not create one. */
function theClient(): Client {
  client ??= connect({ url: location.origin, token: async () => token });
  return client;
}

/** What the composable of the documents returns, as far as it is shown. */
interface Shown {
  readonly state: { readonly value: { readonly status: string } };
  readonly messages: { readonly value: unknown };
  readonly members: { readonly value: unknown };
}

const root = () => document.querySelector("#root") as HTMLElement;

const page = {
  calls: () => calls,
  logged: () => logged,

  /** Runs a block to its end, as the user of this token. */
  async run(name: string, as: string): Promise<void> {
    token = as;
    const load = blocks[`./blocks/${name}`];
    if (!load) throw new Error(`there is no block ${name}`);
    module = await load();
  },

  /** What the block exports. */
  exported: (name: string) => module[name],

  /** The application's user does something. */
  act: (name: string, ...args: unknown[]) => listeners.get(name)?.(...args),

  /** Mounts a React component that the block exports. `provided`: it needs a client around it. */
  mount(name: string, props: object = {}, { provided = false } = {}): void {
    const element = createElement(module[name] as ComponentType, props);
    const whole = provided ? createElement(EverwireProvider, { client: theClient() }, element) : element;
    createRoot(root()).render(whole);
  },

  /** Mounts a Vue component that shows what a composable returns. */
  mountVue(name: string, props: object): void {
    const composable = module[name] as (props: object) => Shown;
    const Room = defineComponent({
      setup() {
        const { state, messages, members } = composable(props);
        return () => h("pre", JSON.stringify([state.value.status, messages.value, members.value]));
      },
    });
    createApp({ render: () => h(VueProvider, { client: theClient() }, () => h(Room)) }).mount(root());
  },
};

declare global {
  interface Window {
    blockPage: typeof page;
  }
}

window.blockPage = page;
