// The fault panel: every fault acts on the real client, is detected, is recovered from, and costs no message. Automatic
// traffic runs throughout, so that the counters count.

import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type ChatPage, Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

/** The demo with the panel open. */
class FaultPanel {
  private constructor(
    readonly chat: ChatPage,
    readonly page: Page,
  ) {}

  static async enter(options: Parameters<typeof ChatPage.enter>[3] = {}): Promise<FaultPanel> {
    const demo = await Demo.start();
    const chat = await demo.enter("Ada", await demo.chat(["ada", "grace"]), options);
    await chat.openPanel();
    return new FaultPanel(chat, chat.page);
  }

  /** A page that is connected by WebSocket, with messages in both directions. */
  static async busy(): Promise<FaultPanel> {
    const panel = await FaultPanel.enter();
    await panel.chat.waitForConnection("websocket");
    await panel.toggle("Automatic traffic", true);
    await panel.waitForMore(3);
    return panel;
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
          ["sent", "back", "inFlight", "duplicated", "lost", "outOfOrder", "refused"].map((name) => [
            name,
            Number((element as HTMLElement).dataset[name]),
          ]),
        ),
      );
  }

  /** Waits until this many more messages have come back. */
  async waitForMore(count: number): Promise<void> {
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

  async waitForShown(what: "band" | "fault", name: string): Promise<void> {
    const attribute = what === "band" ? "phase" : "kind";
    await until(
      `the timeline shows the ${what} ${name}`,
      async () => (await this.drawn(what, attribute)).includes(name),
      { seen: () => this.drawn(what, attribute) },
    );
  }

  log(): Promise<string[]> {
    return this.page.getByTestId("log-entry").allTextContents();
  }

  /** Ends all faults and the traffic, waits until everything has arrived, and asserts that nothing was lost. */
  async settles(): Promise<void> {
    await this.press("End all faults");
    await this.chat.waitForConnection();
    await this.waitForMore(3);
    await this.toggle("Automatic traffic", false);
    await until("everything came back", async () => (await this.traffic()).inFlight === 0, {
      seen: () => this.traffic(),
      timeoutMs: 80_000,
    });
    const { sent, back, ...rest } = await this.traffic();
    expect(back).toBe(sent);
    expect(rest).toEqual({ inFlight: 0, duplicated: 0, lost: 0, outOfOrder: 0, refused: 0 });
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
  const panel = await FaultPanel.busy();
  await panel.slide("Latency", 400);
  await until("a round trip takes 0.8 s at least", async () => (await panel.trips()).latest >= 800, {
    seen: () => panel.trips(),
  });
  await panel.waitForShown("fault", "latencyMs");
  expect(await panel.chat.connection()).toEqual({ status: "connected", transport: "websocket" });
  await panel.slide("Latency", 0);
  await until("round trips are short again", async () => (await panel.trips()).latest < 400, {
    seen: () => panel.trips(),
  });
  await panel.settles();
});

it("a black hole is detected, and the client recovers when it ends", async () => {
  const panel = await FaultPanel.busy();
  const opened = Date.now();
  await panel.toggle("Black hole", true);
  await until("the client does not believe in it any more", async () => {
    return (await panel.chat.connection()).status !== "connected";
  });
  figure("panel: black hole to noticed, with messages under way", Date.now() - opened, "ms", 14_000);
  // Half-open: nothing was reported. The client detected the silence after a message.
  expect((await panel.log()).join()).toMatch(/dead/i);
  await panel.waitForShown("fault", "blackHole");
  await panel.toggle("Black hole", false);
  await panel.chat.waitForConnection();
  await panel.settles();
});

it("a proxy that kills sockets leads to polling", async () => {
  const panel = await FaultPanel.busy();
  await panel.slide("Kill sockets", 1000);
  // The second one at the latest dies young, and the attempt after it polls.
  await until(
    "the client has taken to polling",
    async () => (await panel.chat.connection()).transport === "polling",
    { timeoutMs: 100_000, seen: () => panel.log() },
  );
  await panel.waitForShown("band", "polling");
  await panel.waitForMore(5);
  expect((await panel.chat.connection()).transport).toBe("polling");
  await panel.settles();
});

it("a page that was frozen for 10 s continues where it was", async () => {
  const panel = await FaultPanel.busy();
  await panel.toggle(/^Freeze/, true);
  const frozen = Date.now();
  // In one evaluation, so that it does not thaw in between.
  const look = () =>
    panel.page.evaluate(() => {
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
  await panel.waitForShown("fault", "frozen");
  await panel.chat.waitForConnection();
  await panel.settles();
});

it("loss on both transports costs time and no message", async () => {
  const panel = await FaultPanel.busy();
  await panel.slide("Loss", 30);
  await panel.waitForMore(10);
  await panel.toggle("Block WebSocket", true);
  await panel.chat.waitForConnection("polling");
  await panel.waitForMore(10);
  await panel.settles();
});

it("a planned restart is announced, and the client comes back when it was told to", async () => {
  const panel = await FaultPanel.busy();
  await panel.press("Restart the server");
  await until("it is waiting for the server", async () =>
    (await panel.log()).some((line) => /Not connected.*1001/.test(line)),
  );
  await panel.chat.waitForConnection("websocket");
  await panel.waitForShown("fault", "restarting");
  await panel.settles();
});

it("all faults in turn: nothing is lost or duplicated", async () => {
  const panel = await FaultPanel.busy();
  await panel.slide("Latency", 100);
  await panel.slide("Loss", 10);
  await panel.press("Drop the socket");
  await panel.chat.send("a word in between");
  await panel.toggle("Go offline", true);
  await panel.chat.waitForStatus("offline");
  await panel.toggle("Go offline", false);
  await panel.toggle("Black hole", true);
  await panel.press("Drop the socket");
  await panel.toggle("Black hole", false);
  await panel.press("Restart the server");
  await panel.toggle("Block WebSocket", true);
  // Polls follow the second, fourth and eighth refusal of a WebSocket, and one or two of them may be among the lost.
  await panel.chat.waitForConnection("polling", 120_000);
  await panel.waitForMore(3);
  await panel.press("End all faults");
  await panel.chat.waitForRow("a word in between", "stored");
  await panel.toggle("Automatic traffic", false);
  await until("everything came back", async () => (await panel.traffic()).inFlight === 0, {
    seen: () => panel.traffic(),
    timeoutMs: 80_000,
  });
  const { sent, back, duplicated, lost, outOfOrder } = await panel.traffic();
  expect([back, duplicated, lost, outOfOrder]).toEqual([sent, 0, 0, 0]);
  expect([await panel.chat.count("duplicated"), await panel.chat.count("lost")]).toEqual([0, 0]);
});

it("the report is copied to the clipboard, and contains no message text", async () => {
  const demo = await Demo.start();
  const permissions = ["clipboard-read", "clipboard-write"];
  const chat = await demo.enter("Ada", await demo.chat(["ada", "grace"]), { permissions });
  const { page } = chat;
  await chat.send("a secret between us");
  await chat.waitForRow("a secret between us", "stored");
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
      const panel = await FaultPanel.enter({ viewport, colorScheme, reducedMotion: "reduce" });
      await panel.toggle("Automatic traffic", true);
      await panel.waitForMore(2);
      await panel.slide("Latency", 50);
      await panel.press("Drop the socket");
      await panel.toggle("Block WebSocket", true);
      await panel.chat.waitForConnection("polling");
      await panel.waitForShown("band", "polling");
      await panel.page.evaluate(axe.source);
      const { violations } = await panel.page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] }),
      );
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
      ).toEqual([]);
      // The chart has a text alternative, and the page does not scroll horizontally.
      const picture = panel.page.getByRole("img", { name: "Chart of the last two minutes" });
      const words = await picture.getAttribute("aria-describedby");
      expect(await panel.page.locator(`#${words}`).textContent()).toMatch(/connected by WebSocket for/);
      expect(
        await panel.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ),
      ).toBe(0);
    });
  }
}

it("every control of the fault panel is reachable by Tab and not covered by sticky elements", async () => {
  const panel = await FaultPanel.enter();
  const names = ["Latency", "Loss", "Drop the socket", "Kill sockets", "Black hole", "Copy report"];
  const reached = new Set<string>();
  await panel.page.getByRole("button", { name: "Close the fault panel" }).focus();
  for (let presses = 0; presses < 30 && reached.size < names.length; presses++) {
    await panel.page.keyboard.press("Tab");
    const at = await panel.page.evaluate(() => {
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
