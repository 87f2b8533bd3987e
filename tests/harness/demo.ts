// The demo as a person uses it: finds elements by role and name, and reads the page. And its server, with the API key
// of the demo's pages.

import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import given from "../../demo-web/seed/given.json" with { type: "json" };
import { Api } from "../../demo-web/seed/seed.mjs";
import { freshPage } from "./browser";
import { DEMO_WITH_KEY, KEY } from "./demo-key";
import { Server } from "./server";
import { until } from "./until";

/** A server with the demo, and the API of a back end. */
export class Demo {
  private constructor(
    readonly server: Server,
    readonly api: Api,
  ) {}

  static async start(args: readonly string[] = []): Promise<Demo> {
    const server = await Server.start({ serveDir: DEMO_WITH_KEY, args: ["--api-key", KEY, ...args] });
    return new Demo(server, new Api(server.url, KEY));
  }

  get url(): string {
    return this.server.url;
  }

  /** Creates a direct chat of two, or a group of more. The first user is its owner. Returns the id. */
  async chat(users: readonly string[], title?: string): Promise<string> {
    const group = users.length > 2 || title !== undefined;
    const roles = users.map((user, at) => [user, at === 0 && group ? "owner" : "member"] as const);
    const { id } = await this.api.createChat({
      kind: group ? "group" : "direct",
      ...(group && { title: title ?? "Group" }),
      users: Object.fromEntries(roles),
    });
    return id;
  }

  enter(name: string, chat?: string, options?: BrowserContextOptions): Promise<ChatPage> {
    return ChatPage.enter(this.url, name, chat, options);
  }

  /** Ada and Grace, both with their chat open. */
  async openPair(): Promise<[ChatPage, ChatPage]> {
    const chat = await this.chat(["ada", "grace"]);
    return Promise.all([this.enter("Ada", chat), this.enter("Grace", chat)]);
  }
}

export interface Row {
  readonly id: string;
  readonly status: string;
  readonly mine: boolean;
  /** Its offset in the log; infinite while it is in flight. */
  readonly offset: number;
  readonly text: string;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly delivered: number;
  readonly read: number;
}

export interface ListedChat {
  readonly title: string;
  readonly preview: string;
  readonly unread: number;
}

export type Fault = "Block WebSocket" | "Go offline";

/** The user id of one of the demo's people, by first name; undefined for a new user. */
function personOf(name: string): string | undefined {
  return given.people.find((person) => person.name.split(" ")[0] === name)?.user;
}

export class ChatPage {
  constructor(
    readonly page: Page,
    readonly name: string,
  ) {}

  /**
   * Opens the demo in a profile of its own, at a chat if one is given, signs in as one of the people or as a new user,
   * and waits for the connection.
   */
  static async enter(
    url: string,
    name: string,
    chat?: string,
    options: BrowserContextOptions = {},
  ): Promise<ChatPage> {
    const page = await freshPage(options);
    await page.goto(chat === undefined ? url : `${url}/#/chat/${chat}`);
    const entered = new ChatPage(page, name);
    await entered.signIn();
    await entered.waitForConnection();
    if (chat !== undefined) await entered.field.waitFor();
    return entered;
  }

  async signIn(): Promise<void> {
    if (personOf(this.name) !== undefined) {
      await this.page.getByRole("button", { name: new RegExp(`^${this.name} `) }).click();
      return;
    }
    await this.page.getByLabel(/new name/).fill(this.name);
    await this.page.getByRole("button", { name: "Enter" }).click();
  }

  get field(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to / });
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** The rendered messages of the conversation, from top to bottom. */
  rows(): Promise<Row[]> {
    return this.page.getByTestId("message").evaluateAll((rows) =>
      rows.map((row) => {
        const data = (row as HTMLElement).dataset;
        return {
          id: data.id ?? "",
          status: data.status ?? "",
          mine: data.mine === "true",
          offset: Number(data.offset ?? Number.POSITIVE_INFINITY),
          text: row.querySelector(".text")?.textContent ?? "",
          edited: data.edited === "true",
          deleted: data.deleted === "true",
          delivered: Number(data.delivered),
          read: Number(data.read),
        };
      }),
    );
  }

  async texts(): Promise<string[]> {
    return (await this.rows()).map(({ text }) => text);
  }

  /**
   * All messages of the conversation that the page has, rendered or not, by offset: scrolls through it from top to end.
   */
  async allTexts(): Promise<string[]> {
    const found = new Map<string, { offset: number; text: string }>();
    const log = this.page.getByRole("log");
    await log.evaluate((element) => element.scrollTo(0, 0));
    for (let atEnd = false; ; ) {
      await this.page.evaluate(
        () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
      );
      for (const { id, offset, text } of await this.rows()) found.set(id, { offset, text });
      if (atEnd) break;
      atEnd = await log.evaluate((element) => {
        element.scrollBy(0, element.clientHeight / 2);
        return element.scrollHeight - element.scrollTop - element.clientHeight < 2;
      });
    }
    return [...found.values()].sort((a, b) => a.offset - b.offset).map(({ text }) => text);
  }

  /** Waits for a matching message, and returns it. */
  waitForRow(text: string, wanted: string | Partial<Row> = {}): Promise<Row> {
    const fields = Object.entries(typeof wanted === "string" ? { status: wanted } : wanted);
    return until(
      `${this.name} has the row "${text}" with ${JSON.stringify(wanted)}`,
      async () =>
        (await this.rows()).find(
          (row) => row.text === text && fields.every(([name, value]) => row[name as keyof Row] === value),
        ),
      { seen: () => this.rows() },
    );
  }

  /** Waits until the conversation is exactly this, and everything in it is stored. */
  async waitForConversation(texts: readonly string[]): Promise<void> {
    await until(
      `${this.name} has ${texts.length} messages in order`,
      async () => {
        const rows = await this.rows();
        return (
          rows.length === texts.length &&
          rows.every((row, at) => row.text === texts[at] && row.status === (row.mine ? "stored" : "received"))
        );
      },
      { seen: () => this.rows() },
    );
  }

  /** The element of a message. */
  message(text: string): Locator {
    return this.page.getByTestId("message").filter({ has: this.page.locator(".text", { hasText: text }) });
  }

  /** Whether a message is in view. Evaluated at once, because a row may be unmounted meanwhile. */
  inView(text: string): Promise<boolean> {
    return this.message(text).evaluateAll((rows) =>
      rows.some((row) => {
        const log = row.closest("[role=log]")?.getBoundingClientRect();
        const { top, bottom } = row.getBoundingClientRect();
        return log !== undefined && bottom > log.top && top < log.bottom;
      }),
    );
  }

  /** Scrolls up like a user until a message is in view. */
  async scrollUpTo(text: string): Promise<void> {
    await until(
      `${this.name} has scrolled up to "${text}"`,
      async () => {
        if (await this.inView(text)) return true;
        await this.page.getByRole("log").evaluate((log) => log.scrollBy(0, -log.clientHeight / 2));
        return false;
      },
      { seen: () => this.texts() },
    );
  }

  /** Chooses an item from the menu of a message. */
  async choose(text: string, action: "Reply" | "Edit" | "Delete"): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.getByRole("button", { name: "Message actions" }).click();
    await this.page.getByRole("menuitem", { name: action }).click();
  }

  /** The system messages. */
  changes(): Promise<string[]> {
    return this.page.getByTestId("change").allTextContents();
  }

  /** Waits for a system message. */
  async waitForChange(text: string): Promise<void> {
    await until(`${this.name} reads "${text}"`, async () => (await this.changes()).includes(text), {
      seen: () => this.changes(),
    });
  }

  /** The chat list, from top to bottom. */
  chats(): Promise<ListedChat[]> {
    return this.page.getByTestId("chat").evaluateAll((chats) =>
      chats.map((chat) => ({
        title: chat.querySelector(".name")?.textContent ?? "",
        preview: chat.querySelector(".preview")?.textContent ?? "",
        unread: Number(chat.getAttribute("data-unread")),
      })),
    );
  }

  /** Waits until a chat is listed with these values. */
  async waitForListed(title: string, wanted: Partial<ListedChat> = {}): Promise<ListedChat> {
    const fields = Object.entries(wanted);
    return until(
      `${this.name} lists ${title} with ${JSON.stringify(wanted)}`,
      async () =>
        (await this.chats()).find(
          (chat) =>
            chat.title === title && fields.every(([name, value]) => chat[name as keyof ListedChat] === value),
        ),
      { seen: () => this.chats() },
    );
  }

  /** Opens a chat from the list. */
  async open(title: string): Promise<void> {
    const name = this.page.locator(".chat-title .name", { hasText: new RegExp(`^${title}$`) });
    await this.page.getByTestId("chat").filter({ has: name }).getByRole("link").click();
    await this.page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  }

  /** The other users who have the open chat on their screens. */
  async presentUsers(): Promise<string[]> {
    const users = await this.page.getByTestId("here").getAttribute("data-here");
    return (users ?? "").split(" ").filter((user) => user !== "");
  }

  /** Waits until exactly these users have it open. */
  async waitForPresent(...users: string[]): Promise<void> {
    const wanted = users.sort().join();
    await until(
      `${this.name} sees [${wanted}]`,
      async () => (await this.presentUsers()).sort().join() === wanted,
      {
        seen: () => this.presentUsers(),
      },
    );
  }

  /** Waits until exactly these users are typing. */
  async waitForTyping(...users: string[]): Promise<void> {
    const typists = async () => (await this.page.getByTestId("typing").getAttribute("data-typists")) ?? "";
    const wanted = users.sort().join(" ");
    await until(`${this.name} sees that [${wanted}] type`, async () => (await typists()) === wanted, {
      seen: typists,
    });
  }

  connection(): Promise<{ status: string | null; transport: string | null }> {
    return this.page.getByTestId("connection").evaluate((element) => ({
      status: element.getAttribute("data-status"),
      transport: element.getAttribute("data-transport"),
    }));
  }

  waitForConnection(transport?: "websocket" | "polling", timeoutMs?: number): Promise<unknown> {
    return until(
      `${this.name} is connected${transport ? ` by ${transport}` : ""}`,
      async () => {
        const now = await this.connection();
        return now.status === "connected" && (!transport || now.transport === transport);
      },
      { seen: () => this.connection(), ...(timeoutMs !== undefined && { timeoutMs }) },
    );
  }

  async waitForStatus(wanted: string): Promise<void> {
    await until(`${this.name} is ${wanted}`, async () => (await this.connection()).status === wanted, {
      seen: () => this.connection(),
    });
  }

  async openPanel(): Promise<void> {
    const button = this.page.getByRole("button", { name: /^Break it/ });
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
  }

  async fault(fault: Fault, on: boolean): Promise<void> {
    await this.openPanel();
    const control = this.page.getByRole("switch", { name: fault });
    if ((await control.getAttribute("aria-checked")) !== String(on)) await control.click();
  }

  async dropSocket(): Promise<void> {
    await this.openPanel();
    await this.page.getByRole("button", { name: "Drop the socket" }).click();
  }

  /** A counter of the fault panel, which has to be open. */
  async count(name: string): Promise<number> {
    return Number(await this.page.getByTestId(`count-${name}`).textContent());
  }
}
