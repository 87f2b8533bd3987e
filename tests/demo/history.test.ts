// A long conversation, scrolled back from the last message to the first. EVERWIRE_HISTORY_MESSAGES sets how many there are.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { Demo } from "../harness/demo";
import { figure } from "../harness/figures";
import { until } from "../harness/until";

const MESSAGES = Number(process.env.EVERWIRE_HISTORY_MESSAGES ?? 10_000);
/** How many messages are in flight to the server at once while the chat is filled. */
const AT_ONCE = 64;

it(`scrolls back through ${MESSAGES} messages, and renders only those in view`, {
  timeout: 600_000,
}, async () => {
  const demo = await Demo.start(["--retention", String(MESSAGES * 2)]);
  const chat = await demo.chat(["ada", "grace"]);
  const filling = Date.now();
  let next = 0;
  const fill = async () => {
    while (next < MESSAGES) {
      const n = next++;
      await demo.api.send(chat, n % 2 ? "ada" : "grace", `filler ${n}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fill));
  await demo.api.send(chat, "grace", "at the end of it all");
  figure(`demo: ${MESSAGES} messages through the HTTP API`, Date.now() - filling, "ms");

  const ada = await demo.enter("Ada", chat);
  await until("the end is there", async () => (await ada.rows()).length > 5);
  const log = ada.page.getByRole("log");
  const place = () =>
    log.evaluate((element) => {
      const rows = [...element.querySelectorAll<HTMLElement>(".line")];
      return {
        drawn: rows.length,
        top: element.scrollTop,
        begins: element.querySelector(".beginning") !== null,
        // Rows that are missing would be visible as blank space.
        hole: (() => {
          const { top, bottom } = element.getBoundingClientRect();
          const seen = rows
            .map((row) => row.getBoundingClientRect())
            .filter((box) => box.bottom > top && box.top < bottom);
          seen.sort((a, b) => a.top - b.top);
          return seen.some((box, at) => at > 0 && box.top - (seen[at - 1]?.bottom ?? 0) > 2);
        })(),
      };
    });

  const scrolling = Date.now();
  const frames = await ada.page.evaluateHandle(() => {
    const all = { longest: 0, count: 0, last: performance.now() };
    const next = (now: number) => {
      all.longest = Math.max(all.longest, now - all.last);
      all.last = now;
      all.count++;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    return all;
  });
  await until(
    "the first message is reached",
    async () => {
      await log.evaluate((element) => element.scrollTo(0, 0));
      const { drawn, hole, begins } = await place();
      expect(drawn).toBeLessThan(100);
      expect(hole).toBe(false);
      return begins;
    },
    { timeoutMs: 400_000, seen: place },
  );
  const took = Date.now() - scrolling;
  figure(`demo: scrolled back through ${MESSAGES} messages`, took, "ms");
  const { longest, count } = (await frames.jsonValue()) as { longest: number; count: number };
  figure("demo: longest frame while scrolling back", longest, "ms");
  figure("demo: frames a second while scrolling back", Math.round((count * 1000) / took), "1/s");

  await ada.page.getByText("Start of the conversation").waitFor();
  const [first] = await ada.rows();
  expect(first?.text).toMatch(/^filler \d+$/);

  // One click leads back to the end, where the user can write; on a slow device as well, which renders meanwhile.
  const devtools = await ada.page.context().newCDPSession(ada.page);
  for (const rate of [1, 4, 12]) {
    await devtools.send("Emulation.setCPUThrottlingRate", { rate });
    await ada.page.getByRole("button", { name: "Jump to latest" }).click();
    await until("the end is reached", async () =>
      log.evaluate(
        ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight < 2,
      ),
    );
    await ada.waitForRow("at the end of it all");
    await ada.send(`at the end, ${rate}`);
    await ada.waitForRow(`at the end, ${rate}`, "stored");
    await log.evaluate((element) => element.scrollTo(0, 0));
    await until("back at the first", async () => (await place()).begins, { seen: place });
  }
  expect(problemsOf(ada.page)).toEqual([]);
});

it("the scroll position is kept while older messages are loaded above and new ones arrive below", async () => {
  const demo = await Demo.start();
  const chat = await demo.chat(["ada", "grace"]);
  for (let n = 0; n < 600; n++) await demo.api.send(chat, "grace", `line ${n}`);
  const ada = await demo.enter("Ada", chat);
  await ada.waitForRow("line 599");
  const log = ada.page.getByRole("log");
  // The position of each rendered message; those rendered before and after must not have moved relative to each other.
  await log.evaluate((element) => element.scrollTo(0, 0));
  const first = () =>
    log.evaluate((element) => element.querySelector<HTMLElement>(".line .text")?.textContent ?? "");
  await until("older ones have come", async () => Number((await first()).slice(5)) < 540, { seen: first });
  const seen = () =>
    log.evaluate((element) => {
      const { top } = element.getBoundingClientRect();
      const rows = [...element.querySelectorAll<HTMLElement>('[data-testid="message"]')];
      const row = rows.find((row) => row.getBoundingClientRect().top >= top + 40);
      return row ? `${row.textContent} at ${Math.round(row.getBoundingClientRect().top - top)}` : "";
    });
  await until("the page is at rest", async () => {
    const before = await seen();
    await ada.page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    return before !== "" && before === (await seen());
  });
  const before = await seen();
  for (let n = 0; n < 5; n++) await demo.api.send(chat, "grace", `new ${n}`);
  await ada.page.getByRole("button", { name: "5 new messages" }).waitFor();
  expect(await seen()).toBe(before);
});
