// The demo as a person uses it: finds things by role and name, and says what is on the page.

import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { freshPage } from "./browser";
import { until } from "./until";

export interface Row {
  readonly id: string;
  readonly status: string;
  readonly mine: boolean;
  readonly text: string;
}

export type Fault = "Block WebSocket" | "Go offline";

export class Chat {
  constructor(
    readonly page: Page,
    readonly name: string,
  ) {}

  /** Opens the demo in a profile of its own, gives a name, and waits until it is connected. */
  static async enter(url: string, name: string, options: BrowserContextOptions = {}): Promise<Chat> {
    const page = await freshPage(options);
    await page.goto(url);
    const chat = new Chat(page, name);
    await chat.giveName();
    await chat.connected();
    return chat;
  }

  async giveName(): Promise<void> {
    await this.page.getByLabel("Your name").fill(this.name);
    await this.page.getByRole("button", { name: "Enter" }).click();
  }

  get field(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to / });
  }

  async say(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** Every row of the conversation, from top to bottom. */
  rows(): Promise<Row[]> {
    return this.page.getByTestId("message").evaluateAll((rows) =>
      rows.map((row) => ({
        id: row.getAttribute("data-id") ?? "",
        status: row.getAttribute("data-status") ?? "",
        mine: row.getAttribute("data-mine") === "true",
        text: row.querySelector(".text")?.textContent ?? "",
      })),
    );
  }

  async texts(): Promise<string[]> {
    return (await this.rows()).map(({ text }) => text);
  }

  /** Waits for a row, and returns it. */
  row(text: string, status?: string): Promise<Row> {
    return until(
      `${this.name} has the row "${text}"${status ? ` as ${status}` : ""}`,
      async () => (await this.rows()).find((row) => row.text === text && (!status || row.status === status)),
      { seen: () => this.rows() },
    );
  }

  /** Waits until the conversation is exactly this, and everything in it is stored. */
  async conversation(texts: readonly string[]): Promise<void> {
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

  connection(): Promise<{ status: string | null; carrier: string | null }> {
    return this.page.getByTestId("connection").evaluate((element) => ({
      status: element.getAttribute("data-status"),
      carrier: element.getAttribute("data-carrier"),
    }));
  }

  connected(carrier?: "websocket" | "polling"): Promise<unknown> {
    return until(
      `${this.name} is connected${carrier ? ` by ${carrier}` : ""}`,
      async () => {
        const now = await this.connection();
        return now.status === "connected" && (!carrier || now.carrier === carrier);
      },
      { seen: () => this.connection() },
    );
  }

  async status(wanted: string): Promise<void> {
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

  /** A count of the fault panel, which has to be open. */
  async count(name: string): Promise<number> {
    return Number(await this.page.getByTestId(`count-${name}`).textContent());
  }

  /** Who is listed, in the order of the list. */
  members(): Promise<string[]> {
    return this.page
      .getByTestId("member")
      .evaluateAll((members) => members.map((member) => member.querySelector(".name")?.textContent ?? ""));
  }

  async sees(names: readonly string[]): Promise<void> {
    const wanted = [...names].sort().join();
    await until(`${this.name} sees ${wanted}`, async () => (await this.members()).sort().join() === wanted, {
      seen: () => this.members(),
    });
  }
}
