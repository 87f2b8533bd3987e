// The live board: events that a back end publishes through the HTTP API appear on every page at once, and on pages that
// are opened later.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type ChatPage, Demo } from "../harness/demo";
import { until } from "../harness/until";

const order = (action: string, data: object) => ({
  event: "data_update",
  data: { entity: "order", action, data },
});
const system = (name: string, status: string) => ({
  event: "status_update",
  data: { system: name, status, message: `${name} is ${status}` },
});

async function atBoard(demo: Demo, name: string): Promise<ChatPage> {
  const chat = await demo.enter(name);
  await chat.page.getByRole("link", { name: "Live board", exact: true }).click();
  await until("the board is there", async () => {
    return (await chat.page.getByTestId("board").getAttribute("data-ready")) === "true";
  });
  return chat;
}

const orders = (chat: ChatPage) =>
  chat.page
    .getByTestId("order")
    .evaluateAll((rows) =>
      rows.map((row) => `${row.getAttribute("data-order")} ${row.getAttribute("data-state")}`),
    );

const shows = (chat: ChatPage, ...wanted: string[]) =>
  until(`${chat.name} sees ${wanted}`, async () => (await orders(chat)).join() === wanted.join(), {
    seen: () => orders(chat),
  });

it("data, status and activity arrive as they are published, across a change of the transport", async () => {
  const demo = await Demo.start();
  const to = { channel: "board" };
  await demo.api.publish(
    to,
    order("created", { id: "1", customer: "Ana", item: "Lamp", cents: 900, state: "new" }),
  );
  const ada = await atBoard(demo, "Ada");
  await shows(ada, "1 new");

  await demo.api.publish(to, order("updated", { id: "1", state: "paid" }));
  await demo.api.publish(
    to,
    order("created", { id: "2", customer: "Ben", item: "Pot", cents: 100, state: "new" }),
  );
  await shows(ada, "2 new", "1 paid");
  await demo.api.publish(to, system("mail", "down"));
  await ada.page.locator('[data-system="mail"][data-status="down"]').waitFor();
  await demo.api.publish(to, {
    event: "user_activity",
    data: { user: "grace", activity: "printed a label" },
  });
  await ada.page.getByTestId("activity").getByText("printed a label").waitFor();

  await ada.fault("Block WebSocket", true);
  await ada.waitForConnection("polling");
  await demo.api.publish(to, order("deleted", { id: "1" }));
  await demo.api.publish(to, system("mail", "ok"));
  await shows(ada, "2 new");
  await ada.page.locator('[data-system="mail"][data-status="ok"]').waitFor();
  expect(problemsOf(ada.page, { broken: true })).toEqual([]);

  const grace = await atBoard(demo, "Grace");
  await shows(grace, "2 new");
});

it("the operator's buttons publish through the HTTP API, and others see it", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await Promise.all([atBoard(demo, "Ada"), atBoard(demo, "Grace")]);
  const press = (name: string) => ada.page.getByRole("button", { name, exact: true }).click();
  await press("New order");
  await shows(grace, "1001 new");
  await press("Advance an order");
  await shows(grace, "1001 paid");
  await press("Break or repair a system");
  await grace.page.getByTestId("system").waitFor();
  await press("Log an activity");
  await grace.page.getByTestId("activity").waitFor();
  await press("Notify everybody");
  await grace.page.getByTestId("toast").getByText("Sale today").waitFor();
  const curl = await ada.page.locator(".curl pre").textContent();
  expect(curl).toContain(`${demo.url}/api/v1/publish`);
  // The displayed command does not contain the key.
  expect(curl).toContain("$EVERWIRE_API_KEY");
  for (const chat of [ada, grace]) expect(problemsOf(chat.page)).toEqual([]);
});

it("a busy shop publishes events while the page is open", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await Promise.all([atBoard(demo, "Ada"), atBoard(demo, "Grace")]);
  await ada.page.getByRole("switch", { name: "Busy shop" }).click();
  await until("two orders are there", async () => (await orders(grace)).length >= 2);
});
