// Notifications of a back end: shown when they arrive, kept for users who are offline, and read once for all devices.

import { expect, it } from "vitest";
import { problemsOf } from "../harness/browser";
import { type ChatPage, Demo } from "../harness/demo";
import { type Frame, ProtocolClient } from "../harness/protocol-client";
import { until } from "../harness/until";

const unread = (chat: ChatPage, count: number) =>
  until(`the bell says ${count}`, async () => {
    return (await chat.page.getByTestId("bell").getAttribute("data-unread")) === String(count);
  });

const record = (title: string) => ({
  event: "notification",
  data: { title, message: `${title}, in a sentence.` },
});

it("a notification is shown when it arrives, and stays in the list until it is read", async () => {
  const demo = await Demo.start();
  const [ada, grace] = await Promise.all([demo.enter("Ada"), demo.enter("Grace")]);
  await unread(ada, 0);
  await demo.api.publish("everyone", record("To all"));
  await demo.api.publish({ user: "ada" }, record("To Ada"));
  for (const title of ["To all", "To Ada"])
    await ada.page.getByTestId("toast").getByText(title, { exact: true }).waitFor();
  await unread(ada, 2);
  await unread(grace, 1);

  await ada.page.getByRole("button", { name: "Notifications, 2 unread" }).click();
  const list = ada.page.getByTestId("notification");
  await until("both are listed", async () => (await list.count()) === 2);
  expect(await list.locator("strong").allTextContents()).toEqual(["To Ada", "To all"]);
  await unread(ada, 0);
  await ada.page.keyboard.press("Escape");
  expect(await list.count()).toBe(0);
  await ada.page.reload();
  await ada.waitForConnection();
  await ada.page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
  await unread(ada, 0);
  expect(problemsOf(ada.page)).toEqual([]);
});

it("an offline user is notified once, on one device, and reading counts for all of them", async () => {
  const demo = await Demo.start();
  const chat = await demo.enter("Ada");
  await demo.api.publish({ user: "ada" }, record("While you were here"));
  await chat.page.getByTestId("toast").getByText("While you were here", { exact: true }).waitFor();
  await chat.page.getByTestId("bell").click();
  await unread(chat, 0);
  await chat.page.close();
  await demo.api.publish({ user: "ada" }, record("While you were away"));
  const ada = await demo.enter("Ada");
  await ada.page.getByTestId("toast").getByText("While you were away", { exact: true }).waitFor();
  await unread(ada, 1);
  await ada.page.getByRole("button", { name: /^Dismiss: / }).click();
  await until("it is gone", async () => (await ada.page.getByTestId("toast").count()) === 0);

  // The server is told a second later.
  const client = await ProtocolClient.join(demo.url, "ada");
  client.send({ type: "subscribe", channel: "private-user.ada" });
  const { head } = await client.waitForFrame("subscribed");
  await until("the server knows that it was delivered", () =>
    client.frames
      .flatMap((frame) => (frame.type === "receipt" ? [frame] : ((frame.receipts ?? []) as Frame[])))
      .some(({ user, delivered }) => user === "ada" && delivered === head),
  );

  // Still unread on the next device, but not shown as a toast again.
  const second = await demo.enter("Ada");
  await unread(second, 1);
  await demo.api.publish({ user: "ada" }, record("The next"));
  await second.page.getByTestId("toast").getByText("The next", { exact: true }).waitFor();
  expect(await second.page.getByTestId("toast").count()).toBe(1);
  await second.page.getByTestId("bell").click();
  await unread(second, 0);
  await unread(ada, 0);
});
