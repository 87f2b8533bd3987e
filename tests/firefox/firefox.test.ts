// Firefox: the browser APIs that the client depends on are another implementation there. The core's decisions are
// tested elsewhere.

import { describe, expect, it } from "vitest";
import { expectContiguous, numbersOf, openClient, type PageClient, showLogsOnFailure } from "../harness/bare";
import { Demo } from "../harness/demo";
import { Firefox, type FirefoxTab, findFirefox } from "../harness/firefox";
import { FaultProxy } from "../harness/proxy";
import { PAGES, Server } from "../harness/server";
import { until } from "../harness/until";

async function open(firefox: Firefox, url: string): Promise<FirefoxTab> {
  const tab = await firefox.open(url);
  showLogsOnFailure(tab);
  return tab;
}

const connect = (tab: FirefoxTab, user: string, url: string): Promise<PageClient> =>
  openClient(tab, user, { url, guest: { user, name: user } });

// Without Firefox, `cargo xtask test` has said how to get it.
describe.skipIf(findFirefox() === undefined)("in Firefox", () => {
  it("over WebSocket: nothing lost or duplicated when the server is killed", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const firefox = await Firefox.start();
    const tab = await open(firefox, server.url);
    const [ada, ben] = [await connect(tab, "ada", server.url), await connect(tab, "ben", server.url)];
    await ada.waitForConnection("websocket");
    await ben.subscribe("news");
    await ada.sendMany("news", 0, 50);
    await ben.waitForEntries("news", 10);
    await server.kill();
    await ada.sendMany("news", 50, 50);
    await server.start();
    const received = await ben.waitForEntries("news", 100);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(100).keys()]);
    expect(await ben.receivedCount("news")).toBe(100);
  });

  it("where WebSocket is refused: by polling", async () => {
    const server = await Server.start({ serveDir: PAGES });
    const proxy = await FaultProxy.start(server.port);
    proxy.websocket = "refuse";
    const firefox = await Firefox.start();
    const tab = await open(firefox, proxy.url);
    const [ada, ben] = [await connect(tab, "ada", proxy.url), await connect(tab, "ben", server.url)];
    await ada.waitForConnection("polling");
    await ada.subscribe("news");
    await ben.subscribe("news");
    await ada.sendMany("news", 0, 20);
    await ben.sendMany("news", 100, 20);
    const received = await ada.waitForEntries("news", 40);
    expectContiguous(received);
    expect(numbersOf(received, "ada")).toEqual([...Array(20).keys()]);
    expect(numbersOf(received, "ben")).toEqual([...Array(20).keys()].map((n) => 100 + n));
  });

  it("unsent messages survive a reload", async () => {
    const [pages, chat] = await Promise.all([Server.start({ serveDir: PAGES }), Server.start()]);
    const firefox = await Firefox.start();
    const tab = await open(firefox, pages.url);
    const ada = await connect(tab, "ada", chat.url);
    await ada.waitForConnection();
    await chat.kill();
    await ada.sendMany("news", 0, 5);
    await until("they are kept", () => tab.evaluate(kept, 5));
    await tab.reload();
    await chat.start();
    const again = await connect(tab, "ada", chat.url);
    await again.subscribe("news", { recent: 100 });
    expect(numbersOf(await again.waitForEntries("news", 5), "ada")).toEqual([0, 1, 2, 3, 4]);
    expect(await again.receivedCount("news")).toBe(5);
  });

  it("the demo: two people chat, see each other type, and read", async () => {
    const demo = await Demo.start();
    const chat = await demo.chat(["ada", "grace"]);
    const firefox = await Firefox.start();
    const enter = async (name: string) => {
      const tab = await firefox.open(`${demo.url}/#/chat/${chat}`);
      await tab.press("button", name);
      await until(`${name} can write`, () => tab.evaluate(() => document.querySelector("textarea") !== null));
      return tab;
    };
    const [ada, grace] = [await enter("Ada"), await enter("Grace")];
    await ada.evaluate(() => document.querySelector("textarea")?.focus());
    await ada.type("Hello from Firefox");
    await until("Grace sees that Ada types", () =>
      grace.evaluate((words) => document.body.innerText.includes(words), "Ada is typing"),
    );
    await ada.type("\n");
    const rows = (tab: FirefoxTab) =>
      tab.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('[data-testid="message"]')].map(
          (row) => `${row.querySelector(".text")?.textContent} ${row.dataset.status} ${row.dataset.read}`,
        ),
      );
    await until("it is read", async () => (await rows(ada)).join() === "Hello from Firefox stored 1", {
      seen: () => rows(ada),
    });
    expect(await rows(grace)).toEqual(["Hello from Firefox received 0"]);
  });
});

/** Whether the page has this many messages in its database. */
function kept(count: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open("everwire", 1);
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const counted = open.result.transaction("outbox").objectStore("outbox").count();
      counted.onsuccess = () => {
        open.result.close();
        resolve(counted.result === count);
      };
    };
  });
}
