// @vitest-environment happy-dom
// Vue bindings: the same promises as for React, as far as Vue has the occasions.

import { renderToString } from "@vue/server-renderer";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type App, createApp, createSSRApp, defineComponent, h, nextTick, ref } from "vue";
import { RELEASE_MS } from "../src/integration/reference-counts.js";
import {
  EverwireProvider,
  useChannel,
  useChat,
  useChats,
  useChatsComplete,
  useConnectionState,
  useEverwire,
  useMembers,
  useMembersComplete,
  useMessages,
  useNotifications,
  useStatus,
  useTyping,
} from "../src/vue/index.js";
import type { CoreClass } from "../src/wasm/create-core.js";
import { message, ScriptedCore } from "./scripted-core.js";

const cores: ScriptedCore[] = [];
const apps: App[] = [];

vi.mock("../src/wasm/load-inline.js", () => ({
  loadInline: async () =>
    class extends ScriptedCore {
      constructor(...args: ConstructorParameters<typeof ScriptedCore>) {
        super(...args);
        cores.push(this);
      }
    } as unknown as CoreClass,
}));

beforeEach(() => {
  vi.useFakeTimers();
  cores.length = 0;
});

afterEach(async () => {
  for (const app of apps.splice(0)) app.unmount();
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

const options = { url: "https://chat.example" };
const settle = async (ms = 0) => {
  await vi.advanceTimersByTimeAsync(ms);
  await nextTick();
};
const core = () => {
  const [only] = cores;
  if (only === undefined || cores.length > 1) throw new Error(`there are ${cores.length} cores`);
  return only;
};

function mount(setup: () => () => unknown) {
  const Inner = defineComponent({ setup: () => setup() as () => null });
  const root = document.createElement("div");
  const app = createApp(() => h(EverwireProvider, { options }, { default: () => h(Inner) }));
  app.mount(root);
  apps.push(app);
  return {
    root,
    unmount: () => {
      apps.splice(apps.indexOf(app), 1);
      app.unmount();
    },
  };
}

describe("a provider", () => {
  it("connects when mounted and closes after it was unmounted", async () => {
    const { root, unmount } = mount(() => {
      const state = useConnectionState();
      return () => state.value.status;
    });
    await settle();
    expect(core().of("start")).toHaveLength(1);
    core().connected();
    await settle();
    expect(root.textContent).toBe("connected");
    unmount();
    await settle(RELEASE_MS);
    expect(core().freed).toBe(true);
  });

  it("can be a composable, with channels as objects", async () => {
    const app = createApp({
      setup() {
        const client = useEverwire(options);
        const rows = useMessages(client.channel("a"));
        return () => rows.value.length;
      },
    });
    apps.push(app);
    app.mount(document.createElement("div"));
    await settle();
    expect(core().of("subscribe")).toHaveLength(1);
  });
});

describe("useChannel", () => {
  it("subscribes once for all, follows its name, and unsubscribes", async () => {
    const name = ref("a");
    const got: unknown[] = [];
    const { unmount } = mount(() => {
      const channel = useChannel(name, { recent: 3, onMessage: (m) => got.push(m.data) });
      useMembers(name);
      return () => channel.value.name;
    });
    await settle();
    expect(core().of("subscribe")).toEqual([["a", 3, undefined, undefined, false]]);
    core().confirm("a");
    core().receive(message("a", 1));
    name.value = "b";
    await settle(RELEASE_MS);
    expect(
      core()
        .of("subscribe")
        .map(([channel]) => channel),
    ).toEqual(["a", "b"]);
    expect(core().of("unsubscribe")).toEqual([[1]]);
    expect(got).toEqual([1]);
    unmount();
    await settle(RELEASE_MS);
    expect(core().freed).toBe(true);
  });
});

describe("useMessages and useMembers", () => {
  it("show messages and members", async () => {
    const { root } = mount(() => {
      const channel = useChannel("presence-a");
      const rows = useMessages("presence-a");
      const members = useMembers("presence-a");
      return () => [
        h("button", { onClick: () => void channel.value.send("mine") }),
        rows.value.map(({ data, status }) => `${data}:${status}`).join(" "),
        members.value.map((member) => member.user).join(),
      ];
    });
    await settle();
    const place = { channel: "presence-a", epoch: "e", offset: 0, head: 1 };
    core().receive(
      { type: "subscribed", ...place, members: [{ user: "ann" }] },
      message("presence-a", 1, "theirs"),
    );
    root.querySelector("button")?.click();
    await settle();
    expect(root.textContent).toBe("theirs:stored mine:queuedann");
  });
});

const chat = (id: string, at: number) => ({
  ...{ id, kind: "group", title: id, open: false, role: "member", members: [], member_count: 0, read: 0 },
  ...{ head: 0, unread: 0, at },
});
const own = { channel: "private-user.me", epoch: "e", offset: 0, head: 0 };

describe("useMembersComplete and useChatsComplete", () => {
  it("tell whether the lists are still being loaded", async () => {
    const { root } = mount(() => {
      const [members, chats] = [useMembersComplete("presence-a"), useChatsComplete()];
      return () => `${members.value} ${chats.value}`;
    });
    await settle();
    core().welcomed("me");
    await settle();
    const place = { channel: "presence-a", epoch: "e", offset: 0, head: 0 };
    core().receive(
      { type: "subscribed", ...place, members: [{ user: "ann" }], members_next: "ann" },
      { type: "subscribed", ...own, chats: [chat("a", 1)], chats_more: true },
    );
    await settle();
    expect(root.textContent).toBe("false false");
    core().answer("list_members", { type: "members", channel: place.channel, members: [] });
    core().answer("list_chats", { type: "chats", chats: [chat("a", 1)] });
    await settle();
    expect(root.textContent).toBe("true true");
  });
});

describe("useChats and useNotifications", () => {
  it("follow the lists of the user", async () => {
    const { root } = mount(() => {
      const [chats, notifications] = [useChats(), useNotifications()];
      return () => `${chats.value.map(({ id }) => id)} ${notifications.value.map(({ data }) => data.title)}`;
    });
    await settle();
    core().welcomed("me");
    await settle();
    core().receive({ type: "subscribed", ...own, chats: [chat("a", 1), chat("b", 2)] });
    core().receive(message(own.channel, 1, { title: "new", message: "" }, { event: "notification" }));
    await settle();
    expect(root.textContent).toBe("b,a new");
  });
});

describe("useChat", () => {
  it("follows its id, and shows the chat", async () => {
    const id = ref("a");
    const { root, unmount } = mount(() => {
      const room = useChat(id);
      const typists = useTyping(() => room.value.channel);
      return () =>
        `${room.value.id} ${room.value.messages.rows.length} ${room.value.here.length} ${typists.value.length}`;
    });
    await settle();
    core().confirm("private-chat.a");
    core().confirm("presence-chat.a");
    core().receive(
      message("private-chat.a", 1),
      { type: "member_joined", channel: "presence-chat.a", member: { user: "ann" } },
      { type: "user_typing", channel: "private-chat.a", user: "ann", typing: true },
    );
    await settle();
    expect(root.textContent).toBe("a 1 1 1");
    id.value = "b";
    await settle(2 * RELEASE_MS);
    expect(root.textContent).toBe("b 0 0 0");
    expect(core().of("unsubscribe")).toEqual([[2]]);
    unmount();
    await settle(2 * RELEASE_MS);
    expect(core().freed).toBe(true);
  });
});

describe("useStatus", () => {
  it("requests the status of the users, and follows updates", async () => {
    const users = ref(["ann"]);
    const { root } = mount(() => {
      const known = useStatus(users);
      return () => users.value.map((user) => known.value.get(user)?.status ?? "?").join();
    });
    await settle();
    core().welcomed("me");
    core().answer("get_status", { type: "statuses", statuses: [{ user: "ann", status: "away" }] });
    await settle();
    expect(root.textContent).toBe("away");
    core().confirm("presence-users");
    core().receive({ type: "status_changed", channel: "presence-users", user: "ann", status: "online" });
    users.value = ["ann", "bob"];
    await settle();
    expect(root.textContent).toBe("online,?");
    core().answer("get_status", { type: "statuses", statuses: [{ user: "bob", status: "offline" }] });
    await settle();
    expect(root.textContent).toBe("online,offline");
  });
});

describe("server rendering", () => {
  it("renders without side effects", async () => {
    const Inner = defineComponent({
      setup() {
        const state = useConnectionState();
        const channel = useChannel("a");
        const rows = useMessages("a");
        const members = useMembers("a");
        const others = [useTyping("a"), useChats(), useNotifications()];
        const [room, status] = [useChat("c"), useStatus(["ann"])];
        const numbers = () => [
          ...others.map((list) => list.value.length),
          room.value.here.length,
          status.value.size,
        ];
        return () =>
          h(
            "p",
            `${state.value.status} ${channel.value.name} ${rows.value.length} ${members.value.length} ${numbers()}`,
          );
      },
    });
    const app = createSSRApp(() => h(EverwireProvider, { options }, { default: () => h(Inner) }));
    expect(await renderToString(app)).toContain("<p>connecting a 0 0 0,0,0,0,0</p>");
    await settle(RELEASE_MS);
    expect(cores).toEqual([]);
  });
});
