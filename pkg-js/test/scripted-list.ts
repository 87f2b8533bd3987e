// A message list whose channel runs over a scripted core.

import { MessageList } from "../src/chat/message-list.js";
import { scripted } from "./scripted-core.js";

/** A list that follows a channel from its beginning. */
export async function following(limit?: number) {
  const { client, loaded } = scripted();
  client._start();
  const core = await loaded();
  const channel = client.channel("a");
  const list = new MessageList(channel, limit === undefined ? {} : { limit });
  void channel.subscribe();
  core.confirm("a");
  const failed = (id: string) =>
    core.host.sending({ id, status: "failed", code: "forbidden", message: "No." });
  return { client, core, channel, list, failed };
}

/** A list whose subscription began at `offset`, with pages to be given by `core.page`. */
export async function loadable(offset: number, limit?: number) {
  const { client, loaded } = scripted();
  client._start();
  const core = await loaded();
  const channel = client.channel("a");
  const list = new MessageList(channel, limit === undefined ? {} : { limit });
  void channel.subscribe({ recent: 0 });
  core.confirm("a", { offset, head: offset });
  const page = (messages: object[], more: boolean, epoch = "e") =>
    core.answer("history", { type: "history_page", channel: "a", epoch, messages, more });
  return { client, channel, list, core: Object.assign(core, { page }) };
}
