// What each code block of the documents has to do when it runs: what happens around it, and what must come out. A block is
// found by its document and a text in it.

import type { Page } from "playwright-core";
import { expect } from "vitest";
import { until } from "../harness/until";

/** What the steps of a scenario work with: the user is ann, who has a chat with bob. */
export interface Stage {
  readonly page: Page;
  /** Publishes a message as a back end. */
  publish(message: object): Promise<Record<string, unknown>>;
  /** The arguments of each call of a function of the application. */
  calls(name: string): Promise<unknown[][]>;
  /** What was logged. */
  logged(): Promise<string[]>;
}

export interface Scenario {
  readonly document: string;
  readonly contains: string;
  steps(stage: Stage): Promise<void>;
}

/** Waits until a function of the application was called with arguments whose JSON has all these texts. */
function called(stage: Stage, name: string, ...texts: string[]): Promise<unknown> {
  return until(
    `${name} is called with ${texts}`,
    async () =>
      (await stage.calls(name)).some((args) => texts.every((text) => JSON.stringify(args).includes(text))),
    { timeoutMs: 15_000, seen: async () => (await stage.calls(name)).slice(-3) },
  );
}

const logs = (stage: Stage, text: string) =>
  until(`${text} is logged`, async () => (await stage.logged()).some((line) => line.includes(text)), {
    timeoutMs: 15_000,
    seen: () => stage.logged(),
  });

const shows = (stage: Stage, text: string) => stage.page.getByText(text).first().waitFor({ timeout: 15_000 });

/** The application's user does something. */
const act = (stage: Stage, name: string, ...args: unknown[]) =>
  stage.page.evaluate(([name, args]) => window.blockPage.act(name, ...args), [name, args] as const);

/** What bob writes to the chat, whose id is the application's `id`. */
const toChat = async (stage: Stage, data: unknown) =>
  stage.publish({ to: { chat: await stage.page.evaluate(() => id) }, data, user: "bob", name: "Bob" });

export const SCENARIOS: readonly Scenario[] = [
  {
    document: "README.md",
    contains: "for (const row of room.messages.rows)",
    async steps(stage) {
      await logs(stage, 'ann {"text":"hello"} stored');
    },
  },
  {
    document: "README.md",
    contains: "private-orders.eu",
    async steps(stage) {
      await stage.publish({ to: { channel: "private-orders.eu" }, event: "shipped", data: { order: 7 } });
      await logs(stage, "7 1");
    },
  },
  {
    document: "docs/guide.md",
    contains: "room(id)",
    async steps(stage) {
      expect(await stage.calls("render")).not.toEqual([]);
    },
  },
  {
    document: "docs/coming-from.md",
    contains: "export async function enter",
    async steps(stage) {
      await stage.page.evaluate(async () => {
        const enter = window.blockPage.exported("enter") as (
          room: string,
        ) => Promise<{ say(text: string): Promise<unknown>; leave(): void }>;
        const room = await enter("7");
        await room.say("from the page");
        addEventListener("leave", () => room.leave());
      });
      await called(stage, "showMessage", "from the page");
      await called(stage, "showMembers", "ann");
      await called(stage, "showStatus", "connected");
      await stage.page.evaluate(() => dispatchEvent(new Event("leave")));
      await called(stage, "showMembers", "[[]]");
    },
  },
  {
    document: "docs/coming-from.md",
    contains: "showChats(chat.chats.list",
    async steps(stage) {
      const { id } = await toChat(stage, { text: "hello ann" });
      await called(stage, "showRoom", "hello ann", '"user":"bob"');
      await called(stage, "showChats", "hello ann");
      await act(stage, "onKey");
      await act(stage, "onSubmit", "hello bob");
      await called(stage, "showRoom", "hello bob", '"status":"stored"');
      await act(stage, "onSeen", id);
      await called(stage, "showChats", '"unread":0');
    },
  },
  {
    document: "docs/coming-from.md",
    contains: "event:data_update",
    async steps(stage) {
      const lobby = { to: { channel: "lobby" } };
      const data = { entity: "order", action: "updated", data: { id: 7 } };
      await stage.publish({ ...lobby, event: "data_update", data });
      await called(stage, "refresh", '"order","updated",{"id":7}');
      await stage.publish({ ...lobby, event: "status_update", data: { system: "payments", status: "down" } });
      await called(stage, "showStatus", '"payments","down"');
      const activity = { user: "bob", activity: "editing" };
      await stage.publish({ ...lobby, event: "user_activity", data: activity, durable: false });
      await called(stage, "showToast", '"bob","editing"');
      const notification = { title: "Maintenance", message: "At noon." };
      await stage.publish({ to: "everyone", event: "notification", data: notification });
      await called(stage, "showToast", '"Maintenance","At noon."');
    },
  },
  {
    document: "docs/coming-from.md",
    contains: 'useMembers("presence-users")',
    async steps(stage) {
      await stage.page.evaluate(() => window.blockPage.mount("App"));
      await shows(stage, "connected");
      await shows(stage, "ann: online");
    },
  },
  {
    document: "docs/coming-from.md",
    contains: "export function ChatBox",
    async steps(stage) {
      const mount = (name: string, props = {}) =>
        stage.page.evaluate(([name, props]) => window.blockPage.mount(name, props, { provided: true }), [
          name,
          props,
        ] as const);
      await mount("ChatBox", { id: await stage.page.evaluate(() => id) });
      await stage.page.locator("input").fill("hello bob");
      await stage.page.locator("input").blur();
      await shows(stage, "hello bob");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "order.shipped",
    async steps(stage) {
      await logs(stage, 'order.shipped {"id":7}');
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "new MessageList",
    async steps(stage) {
      await stage.publish({ to: { channel: "news" }, data: { text: "in the list" } });
      await called(stage, "render", "in the list");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "chats.create(",
    async steps(stage) {
      await called(stage, "render", "To the sea.", '"status":"stored"');
      await called(stage, "render", "Trip");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "const { notifications }",
    async steps(stage) {
      const data = { title: "Shipped", message: "Order 7 is on its way." };
      await stage.publish({ to: { user: "ann" }, event: "notification", data });
      await called(stage, "toast", '"Shipped","Order 7 is on its way."');
      await called(stage, "badge", "[1]");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "everwire/react",
    async steps(stage) {
      await stage.publish({ to: { channel: "presence-room.42" }, data: { text: "before the page" } });
      await stage.page.evaluate(() => window.blockPage.mount("App"));
      await shows(stage, "connected, 1 here");
      await shows(stage, "before the page");
      await stage.page.getByRole("button", { name: "Say hello" }).click();
      await stage.page.getByRole("listitem").getByText("hello").waitFor({ timeout: 15_000 });
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "everwire/vue",
    async steps(stage) {
      await stage.publish({ to: { channel: "presence-room.42" }, data: { text: "before the page" } });
      await stage.page.evaluate(() => window.blockPage.mountVue("useRoom", { id: "42" }));
      await shows(stage, "before the page");
      await shows(stage, "ann");
      await shows(stage, "connected");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "everwire/eager",
    async steps(stage) {
      await logs(stage, "eager connected ");
    },
  },
  {
    document: "pkg-js/README.md",
    contains: "everwire/slim",
    async steps(stage) {
      await logs(stage, "connected ");
    },
  },
];
