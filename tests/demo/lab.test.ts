// The fault panel: every fault acts on the real client, is detected, is recovered from, and costs no message. Automatic
// traffic runs throughout, so that the counters count.

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type Chat, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

/** The demo with the panel open. */
class Lab {
  private constructor(
    readonly chat: Chat,
    readonly page: Page,
  ) {}

  static async enter(options: Parameters<typeof Chat.enter>[3] = {}): Promise<Lab> {
    const demo = await Demo.start();
    const chat = await demo.enter("Ada", await demo.chat(["ada", "grace"]), options);
    await chat.openPanel();
    return new Lab(chat, chat.page);
  }

  /** A page that is connected by WebSocket, with messages in both directions. */
  static async busy(): Promise<Lab> {
    const lab = await Lab.enter();
    await lab.chat.connected("websocket");
    await lab.toggle("Automatic traffic", true);
    await lab.more(3);
    return lab;
  }

  async toggle(name: string | RegExp, on: boolean): Promise<void> {
    const control = this.page.getByRole("switch", { name });
    if ((await control.getAttribute("aria-checked")) !== String(on)) await control.click();
  }

  async slide(name: string, value: number): Promise<void> {
    await this.page.getByRole("slider", { name }).fill(String(value));
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name }).click();
  }

  /** The outcome of the automatic messages. */
  traffic(): Promise<Record<string, number>> {
    return this.page
      .getByTestId("traffic")
      .evaluate((element) =>
        Object.fromEntries(
          ["sent", "back", "onTheWay", "twice", "never", "disordered", "refused"].map((name) => [
            name,
            Number((element as HTMLElement).dataset[name]),
          ]),
        ),
      );
  }

  /** Waits until this many more messages have come back. */
  async more(count: number): Promise<void> {
    const before = await this.traffic().then(
      ({ back }) => back ?? 0,
      () => 0,
    );
    await until(
      `${count} more messages are back`,
      async () => ((await this.traffic()).back ?? 0) >= before + count,
      { seen: () => this.traffic(), timeoutMs: 80_000 },
    );
  }

  async trips(): Promise<{ count: number; latest: number; median: number }> {
    return this.page.getByTestId("round-trips").evaluate((element) => {
      const { count, latest, median } = (element as HTMLElement).dataset;
      return { count: Number(count), latest: Number(latest), median: Number(median) };
    });
  }

  /** The contents of the timeline, in order of appearance. */
  async drawn(what: "band" | "fault", attribute: "phase" | "kind"): Promise<string[]> {
    return this.page
      .getByTestId(`timeline-${what}`)
      .evaluateAll(
        (all, name) => all.map((element) => element.getAttribute(`data-${name}`) ?? ""),
        attribute,
      );
  }

  async shows(what: "band" | "fault", name: string): Promise<void> {
    const attribute = what === "band" ? "phase" : "kind";
    await until(
      `the timeline shows the ${what} ${name}`,
      async () => (await this.drawn(what, attribute)).includes(name),
      { seen: () => this.drawn(what, attribute) },
    );
  }

  journal(): Promise<string[]> {
    return this.page.getByTestId("log-entry").allTextContents();
  }

  /** Ends all faults and the traffic, waits until everything has arrived, and asserts that nothing was lost. */
  async settles(): Promise<void> {
    await this.press("End all faults");
    await this.chat.connected();
    await this.more(3);
    await this.toggle("Automatic traffic", false);
    await until("everything came back", async () => (await this.traffic()).onTheWay === 0, {
      seen: () => this.traffic(),
      timeoutMs: 80_000,
    });
    const { sent, back, ...rest } = await this.traffic();
    expect(back).toBe(sent);
    expect(rest).toEqual({ onTheWay: 0, twice: 0, never: 0, disordered: 0, refused: 0 });
    // A message may come back before its ack.
    await until("all is acked", async () => (await this.chat.count("acked")) === sent);
    const counts = await Promise.all(
      ["sent", "received", "duplicated", "lost", "missing"].map((name) => this.chat.count(name)),
    );
    expect(counts).toEqual([sent, sent, 0, 0, 0]);
    expect(problemsOf(this.page, { broken: true })).toEqual([]);
  }
}

it("latency shows in the round trips, and has no other effect", async () => {
  const lab = await Lab.busy();
  await lab.slide("Latency", 400);
  await until("a round trip takes 0.8 s at least", async () => (await lab.trips()).latest >= 800, {
    seen: () => lab.trips(),
  });
  await lab.shows("fault", "latencyMs");
  expect(await lab.chat.connection()).toEqual({ status: "connected", transport: "websocket" });
  await lab.slide("Latency", 0);
  await until("round trips are short again", async () => (await lab.trips()).latest < 400, {
    seen: () => lab.trips(),
  });
  await lab.settles();
});

it("a black hole is detected, and the client recovers when it ends", async () => {
  const lab = await Lab.busy();
  const opened = Date.now();
  await lab.toggle("Black hole", true);
  await until("the client does not believe in it any more", async () => {
    return (await lab.chat.connection()).status !== "connected";
  });
  figure("lab: black hole to noticed, with messages under way", Date.now() - opened, "ms", 14_000);
  // Half-open: nothing was reported. The client detected the silence after a message.
  expect((await lab.journal()).join()).toMatch(/dead/i);
  await lab.shows("fault", "blackHole");
  await lab.toggle("Black hole", false);
  await lab.chat.connected();
  await lab.settles();
});

it("a proxy that kills sockets leads to polling", async () => {
  const lab = await Lab.busy();
  await lab.slide("Kill sockets", 1000);
  // Six sockets that worked for a while, with the backoff between them.
  await until(
    "the client has taken to polling",
    async () => (await lab.chat.connection()).transport === "polling",
    { timeoutMs: 100_000, seen: () => lab.journal() },
  );
  await lab.shows("band", "polling");
  await lab.more(5);
  expect((await lab.chat.connection()).transport).toBe("polling");
  await lab.settles();
});

it("a page that was frozen for 10 s continues where it was", async () => {
  const lab = await Lab.busy();
  await lab.toggle(/^Freeze/, true);
  const frozen = Date.now();
  // In one evaluation, so that it does not thaw in between.
  const look = () =>
    lab.page.evaluate(() => {
      const { sent, back } = document.querySelector<HTMLElement>('[data-testid="traffic"]')?.dataset ?? {};
      const control = [...document.querySelectorAll('[role="switch"]')].find((element) =>
        element.textContent?.startsWith("Freeze"),
      );
      return { frozen: control?.getAttribute("aria-checked") === "true", sent, back };
    });
  const first = await look();
  expect(first.frozen).toBe(true);
  let looks = 0;
  await until("it thaws", async () => {
    const now = await look();
    if (!now.frozen) return true;
    // Nothing happens in a frozen page: no timer sends, and incoming messages wait.
    expect(now).toEqual(first);
    looks++;
    return false;
  });
  expect(looks).toBeGreaterThan(5);
  expect(Date.now() - frozen).toBeGreaterThan(5_000);
  await lab.shows("fault", "frozen");
  await lab.chat.connected();
  await lab.settles();
});

it("loss on both transports costs time and no message", async () => {
  const lab = await Lab.busy();
  await lab.slide("Loss", 30);
  await lab.more(10);
  await lab.toggle("Block WebSocket", true);
  await lab.chat.connected("polling");
  await lab.more(10);
  await lab.settles();
});

it("a planned restart is announced, and the client comes back when it was told to", async () => {
  const lab = await Lab.busy();
  await lab.press("Restart the server");
  await until("it is waiting for the server", async () =>
    (await lab.journal()).some((line) => /Not connected.*1001/.test(line)),
  );
  await lab.chat.connected("websocket");
  await lab.shows("fault", "restarting");
  await lab.settles();
});

it("all faults in turn: nothing is lost or duplicated", async () => {
  const lab = await Lab.busy();
  await lab.slide("Latency", 100);
  await lab.slide("Loss", 10);
  await lab.press("Drop the socket");
  await lab.chat.say("a word in between");
  await lab.toggle("Go offline", true);
  await lab.chat.status("offline");
  await lab.toggle("Go offline", false);
  await lab.toggle("Black hole", true);
  await lab.press("Drop the socket");
  await lab.toggle("Black hole", false);
  await lab.press("Restart the server");
  await lab.toggle("Block WebSocket", true);
  await lab.chat.connected("polling");
  await lab.more(3);
  await lab.press("End all faults");
  await lab.chat.row("a word in between", "stored");
  await lab.toggle("Automatic traffic", false);
  await until("everything came back", async () => (await lab.traffic()).onTheWay === 0, {
    seen: () => lab.traffic(),
    timeoutMs: 80_000,
  });
  const { sent, back, twice, never, disordered } = await lab.traffic();
  expect([back, twice, never, disordered]).toEqual([sent, 0, 0, 0]);
  expect([await lab.chat.count("duplicated"), await lab.chat.count("lost")]).toEqual([0, 0]);
});

it("the report is copied to the clipboard, and contains no message text", async () => {
  const demo = await Demo.start();
  const permissions = ["clipboard-read", "clipboard-write"];
  const chat = await demo.enter("Ada", await demo.chat(["ada", "grace"]), { permissions });
  const { page } = chat;
  await chat.say("a secret between us");
  await chat.row("a secret between us", "stored");
  await chat.openPanel();
  await page.getByRole("button", { name: "Copy report" }).click();
  await page.getByText("Copied.").waitFor();
  const report = await page.evaluate(() => navigator.clipboard.readText());
  expect(report).toMatch(/session [0-9a-f-]{36}/);
  expect(report).toContain("> send");
  expect(report).not.toContain("secret");
});

for (const [size, viewport] of [
  ["narrow", { width: 360, height: 740 }],
  ["wide", { width: 1280, height: 800 }],
] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    it(`${size} and ${colorScheme}: axe-core finds no violations in a busy fault panel`, async () => {
      const lab = await Lab.enter({ viewport, colorScheme, reducedMotion: "reduce" });
      await lab.toggle("Automatic traffic", true);
      await lab.more(2);
      await lab.slide("Latency", 50);
      await lab.press("Drop the socket");
      await lab.toggle("Block WebSocket", true);
      await lab.chat.connected("polling");
      await lab.shows("band", "polling");
      await lab.page.evaluate(axe.source);
      const { violations } = await lab.page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] }),
      );
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
      ).toEqual([]);
      // The chart has a text alternative, and the page does not scroll horizontally.
      const picture = lab.page.getByRole("img", { name: "Chart of the last two minutes" });
      const words = await picture.getAttribute("aria-describedby");
      expect(await lab.page.locator(`#${words}`).textContent()).toMatch(/connected by WebSocket for/);
      expect(
        await lab.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ),
      ).toBe(0);
    });
  }
}

it("every control of the fault panel is reachable by Tab and not covered by sticky elements", async () => {
  const lab = await Lab.enter();
  const names = ["Latency", "Loss", "Drop the socket", "Kill sockets", "Black hole", "Copy report"];
  const reached = new Set<string>();
  await lab.page.getByRole("button", { name: "Close the fault panel" }).focus();
  for (let presses = 0; presses < 30 && reached.size < names.length; presses++) {
    await lab.page.keyboard.press("Tab");
    const at = await lab.page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { left, top, width, height } = element.getBoundingClientRect();
      const onTop = document.elementFromPoint(left + width / 2, top + height / 2);
      const label = (element as HTMLInputElement).labels?.[0] ?? element;
      return { name: label.textContent ?? "", seen: onTop !== null && element.contains(onTop) };
    });
    if (!names.includes(at.name)) continue;
    expect(at.seen, `${at.name} is seen when it has the focus`).toBe(true);
    reached.add(at.name);
  }
  expect([...reached]).toEqual(names);
});
