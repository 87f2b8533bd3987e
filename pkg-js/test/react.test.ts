// @vitest-environment happy-dom
// React bindings: one connection and one subscription in StrictMode, release on unmount, server rendering.

import { act, cleanup, render, screen } from "@testing-library/react";
import { createElement as h, type ReactNode, StrictMode, useState } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../src/core/client.js";
import type { Handle } from "../src/generated/bindings.js";
import { RELEASE_MS } from "../src/integration/reference-counts.js";
import {
  EverwireProvider,
  useChannel,
  useChat,
  useChats,
  useChatsComplete,
  useClient,
  useConnectionState,
  useEverwire,
  useMembers,
  useMembersComplete,
  useMessages,
  useNotifications,
  useStatus,
  useTyping,
} from "../src/react/index.js";
import type { CoreClass } from "../src/wasm/create-core.js";
import { message, ScriptedCore } from "./scripted-core.js";

const cores: ScriptedCore[] = [];

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
  cleanup();
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

const options = { url: "https://chat.example" };
/** Lets the core load and effects settle. */
const settle = (ms = 0) => act(() => vi.advanceTimersByTimeAsync(ms));
const core = () => {
  const [only] = cores;
  if (only === undefined || cores.length > 1) throw new Error(`there are ${cores.length} cores`);
  return only;
};

function App({ children }: { children?: ReactNode }) {
  return h(StrictMode, null, h(EverwireProvider, { options }, children));
}

describe("a provider in StrictMode", () => {
  it("creates one connection, and closes it when it is unmounted for good", async () => {
    const { unmount } = render(h(App));
    await settle();
    expect(core().of("start")).toHaveLength(1);
    unmount();
    await settle(RELEASE_MS - 1);
    expect(core().of("close")).toHaveLength(0);
    await settle(1);
    expect(core().of("close")).toHaveLength(1);
    expect(core().freed).toBe(true);
  });

  it("keeps the client over renders, and calls the token callback of the last one", async () => {
    const clients = new Set<Client>();
    function Keeper() {
      clients.add(useClient());
      return null;
    }
    const tree = (token: string) =>
      h(EverwireProvider, { options: { ...options, token: () => token } }, h(Keeper));
    const { rerender } = render(tree("first"));
    rerender(tree("second"));
    await settle();
    core().host.fetchToken();
    await settle();
    core().host.fetchToken();
    await settle();
    expect(clients.size).toBe(1);
    // The first was asked for at once, before there was another.
    expect(core().of("token")).toEqual([["first"], ["second"]]);
  });

  it("creates another client for another server, and closes the first", async () => {
    const tree = (url: string) => h(StrictMode, null, h(EverwireProvider, { options: { url } }));
    const { rerender } = render(tree("https://one.example"));
    await settle();
    rerender(tree("https://two.example"));
    await settle(RELEASE_MS);
    expect(cores.map((made) => [made.made.url, made.freed])).toEqual([
      ["https://one.example", true],
      ["https://two.example", false],
    ]);
  });

  it("does not close a client of the application", async () => {
    let client: Client | undefined;
    function Outer() {
      client = useEverwire(options);
      const [shown, setShown] = useState(true);
      return h(
        "div",
        null,
        shown && h(EverwireProvider, { client }, h(State)),
        h("button", { type: "button", onClick: () => setShown(false) }),
      );
    }
    render(h(Outer));
    await settle();
    act(() => screen.getByRole("button").click());
    await settle(2 * RELEASE_MS);
    expect(client?.state.status).toBe("connecting");
  });
});

function State() {
  return h("p", null, useConnectionState().status);
}

describe("useConnectionState", () => {
  it("follows the state", async () => {
    const { container } = render(h(App, null, h(State)));
    await settle();
    expect(container.textContent).toBe("connecting");
    act(() => core().connected());
    expect(container.textContent).toBe("connected");
  });
});

describe("useChannel", () => {
  it("subscribes once in StrictMode, and unsubscribes once", async () => {
    function Room() {
      useChannel("a", { recent: 20 });
      return null;
    }
    const tree = (shown: boolean) => h(App, null, shown && h(Room), h(Room));
    const { rerender } = render(tree(true));
    await settle();
    expect(core().of("subscribe")).toEqual([["a", 20, undefined, undefined, false]]);
    rerender(tree(false));
    await settle(2 * RELEASE_MS);
    expect(core().of("unsubscribe")).toEqual([]);
    rerender(h(App));
    await settle(2 * RELEASE_MS);
    expect(core().of("unsubscribe")).toEqual([[1]]);
  });

  it("keeps the subscription of a component that is mounted again soon", async () => {
    function Room() {
      useChannel("a");
      return null;
    }
    const { rerender } = render(h(App, null, h(Room, { key: 1 })));
    await settle();
    rerender(h(App, null, h(Room, { key: 2 })));
    await settle(2 * RELEASE_MS);
    expect([core().of("subscribe").length, core().of("unsubscribe").length]).toEqual([1, 0]);
  });

  it("moves to another channel", async () => {
    const Room = ({ name }: { name: string }) => h("p", null, useChannel(name).name);
    const { rerender, container } = render(h(App, null, h(Room, { name: "a" })));
    await settle();
    rerender(h(App, null, h(Room, { name: "b" })));
    await settle(RELEASE_MS);
    expect(
      core()
        .of("subscribe")
        .map(([name]) => name),
    ).toEqual(["a", "b"]);
    expect(core().of("unsubscribe")).toEqual([[1]]);
    expect(container.textContent).toBe("b");
  });

  it("calls the handlers of the last render, once each", async () => {
    const got: string[] = [];
    function Room({ label }: { label: string }) {
      useChannel("a", {
        onMessage: (m) => got.push(`${label} ${m.data}`),
        onGap: ({ reason }) => got.push(`${label} ${reason}`),
      });
      return null;
    }
    const { rerender } = render(h(App, null, h(Room, { label: "first" })));
    await settle();
    core().confirm("a");
    core().receive(message("a", 1));
    rerender(h(App, null, h(Room, { label: "second" })));
    core().receive(message("a", 2));
    const gap = { from: 3, to: 4, reason: "trimmed" };
    core().receive({ type: "subscribed", channel: "a", epoch: "e", offset: 4, head: 4, gap });
    expect(got).toEqual(["first 1", "second 2", "second trimmed"]);
  });

  it("does not end a subscription of the application", async () => {
    let client: Client | undefined;
    function Room() {
      useChannel("a");
      return null;
    }
    function Grab() {
      client = useClient();
      return null;
    }
    const { rerender } = render(h(App, null, h(Grab)));
    await settle();
    void client?.channel("a").subscribe();
    rerender(h(App, null, h(Room)));
    await settle();
    rerender(h(App));
    await settle(2 * RELEASE_MS);
    expect(core().of("unsubscribe")).toEqual([]);
  });

  it("logs a refused subscription to the console, unless there is a listener", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const errors: unknown[] = [];
    function Room({ name, heard = false }: { name: string; heard?: boolean }) {
      useChannel(name, heard ? { onError: (error) => errors.push(error.code) } : {});
      return null;
    }
    render(h(App, null, h(Room, { name: "private-a" }), h(Room, { name: "private-b", heard: true })));
    await settle();
    const refusal = { type: "unsubscribed", code: "forbidden", message: "No." };
    core().receive({ ...refusal, channel: "private-a" }, { ...refusal, channel: "private-b" });
    await settle();
    expect([warn.mock.calls.length, errors]).toEqual([1, ["forbidden"]]);
    warn.mockRestore();
  });

  it("throws a helpful error without a provider", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(() => render(h(State))).toThrow("EverwireProvider");
  });
});

describe("useMessages", () => {
  it("shows stored and own messages as one list, and the list of a component that was there before", async () => {
    let client: Client | undefined;
    function Room() {
      client = useClient();
      const rows = useMessages("a", { recent: 5 });
      return h("p", null, rows.map(({ data, status }) => `${data}:${status}`).join(" "));
    }
    const { container, rerender } = render(h(App, null, h(Room, { key: 1 })));
    await settle();
    expect(core().of("subscribe")).toEqual([["a", 5, undefined, undefined, false]]);
    core().confirm("a");
    core().receive(message("a", 1, "x"));
    void client?.channel("a").send("y");
    await settle();
    expect(container.textContent).toBe("x:stored y:queued");
    rerender(h(App, null, h(Room, { key: 2 })));
    await settle();
    expect(container.textContent).toBe("x:stored y:queued");
    expect(core().of("subscribe")).toHaveLength(1);
  });
});

describe("useMembers", () => {
  it("shows the members", async () => {
    const Who = () =>
      h(
        "p",
        null,
        useMembers("presence-a")
          .map((member) => member.user)
          .join(),
      );
    const { container } = render(h(App, null, h(Who)));
    await settle();
    const place = { channel: "presence-a", epoch: "e", offset: 0, head: 0 };
    act(() => core().receive({ type: "subscribed", ...place, members: [{ user: "ann" }] }));
    expect(container.textContent).toBe("ann");
    act(() => core().receive({ type: "member_joined", channel: "presence-a", member: { user: "bob" } }));
    expect(container.textContent).toBe("ann,bob");
  });
});

const chat = (id: string, at: number) => ({
  ...{ id, kind: "group", title: id, open: false, role: "member", members: [], member_count: 0, read: 0 },
  ...{ head: 0, unread: 0, at },
});
const own = { channel: "private-user.me", epoch: "e", offset: 0, head: 0 };
/** Welcomes the user, and lets what waited for that happen. */
const welcome = () => act(async () => core().welcomed("me"));

describe("useMembersComplete and useChatsComplete", () => {
  it("tell whether the lists are still being loaded", async () => {
    const List = () => h("p", null, `${useMembersComplete("presence-a")} ${useChatsComplete()}`);
    const { container } = render(h(App, null, h(List)));
    await settle();
    await welcome();
    await settle();
    expect(container.textContent).toBe("false false");
    const place = { channel: "presence-a", epoch: "e", offset: 0, head: 0 };
    const members = [{ user: "ann" }];
    await act(async () =>
      core().receive(
        { type: "subscribed", ...place, members, members_next: "ann" },
        { type: "subscribed", ...own, chats: [chat("a", 1)], chats_more: true },
      ),
    );
    expect(container.textContent).toBe("false false");
    await act(async () => {
      core().answer("list_members", { type: "members", channel: place.channel, members: [] });
      core().answer("list_chats", { type: "chats", chats: [chat("a", 1)] });
    });
    expect(container.textContent).toBe("true true");
    await act(async () => core().receive({ type: "subscribed", ...place, members, members_next: "ann" }));
    expect(container.textContent, "again after an outage").toBe("false true");
  });

  it("an empty list of members is complete, too", async () => {
    const { container } = render(
      h(
        App,
        null,
        h(() => h("p", null, `${useMembersComplete("presence-a")}`)),
      ),
    );
    await settle();
    const place = { channel: "presence-a", epoch: "e", offset: 0, head: 0 };
    await act(async () => core().receive({ type: "subscribed", ...place, members: [] }));
    expect(container.textContent).toBe("true");
  });
});

describe("useChats", () => {
  it("shows the chats, sorted by latest activity", async () => {
    const List = () =>
      h(
        "p",
        null,
        useChats()
          .map(({ id }) => id)
          .join(),
      );
    const { container } = render(h(App, null, h(List)));
    await settle();
    await welcome();
    await settle();
    await act(async () =>
      core().receive({ type: "subscribed", ...own, chats: [chat("a", 1), chat("b", 2)] }),
    );
    expect(container.textContent).toBe("b,a");
    await act(async () => core().receive({ type: "chat_gone", channel: own.channel, chat: "b" }));
    expect(container.textContent).toBe("a");
  });
});

describe("useChat", () => {
  it("opens a chat once in StrictMode, shows what happens in it, and keeps its log when it leaves", async () => {
    function Room({ id }: { id: string }) {
      const room = useChat(id);
      return h("p", null, room.messages.rows.length, room.typists.length, room.here.length, room.info?.title);
    }
    const { container, rerender } = render(h(App, null, h(Room, { id: "a" })));
    await settle();
    await welcome();
    await settle();
    const subscribed = () =>
      core()
        .of("subscribe")
        .map(([name, recent]) => [name, recent]);
    expect(subscribed()).toEqual([
      ["private-chat.a", 50],
      ["presence-chat.a", undefined],
      ["private-user.me", undefined],
    ]);
    core().confirm("private-chat.a");
    core().confirm("presence-chat.a");
    const log = "private-chat.a";
    await act(async () =>
      core().receive(
        { type: "subscribed", ...own, chats: [chat("a", 1)] },
        message(log, 1),
        { type: "user_typing", channel: log, user: "ann", typing: true },
        { type: "member_joined", channel: "presence-chat.a", member: { user: "ann" } },
      ),
    );
    expect(container.textContent).toBe("111a");
    rerender(h(App, null, h(Room, { id: "b" })));
    await settle(2 * RELEASE_MS);
    expect(core().of("unsubscribe")).toEqual([[2]]);
    expect(container.textContent).toBe("000");
    rerender(h(App, null, h(Room, { id: "a" })));
    await settle();
    expect(container.textContent).toBe("110a");
    expect(subscribed().slice(3)).toEqual([
      ["private-chat.b", 50],
      ["presence-chat.b", undefined],
      ["presence-chat.a", undefined],
    ]);
  });
});

describe("useTyping", () => {
  it("shows the other users who are typing", async () => {
    const Who = () =>
      h(
        "p",
        null,
        useTyping("a")
          .map(({ user }) => user)
          .join(),
      );
    const { container } = render(h(App, null, h(Who)));
    await settle();
    core().confirm("a");
    act(() => core().receive({ type: "user_typing", channel: "a", user: "ann", typing: true }));
    expect(container.textContent).toBe("ann");
    act(() => core().host.typingExpired({ handle: 1 as Handle, typist: 0 }));
    expect(container.textContent).toBe("");
  });
});

describe("useNotifications", () => {
  it("shows them, latest first", async () => {
    const List = () =>
      h(
        "p",
        null,
        useNotifications()
          .map(({ data, read }) => `${data.title} ${read}`)
          .join(),
      );
    const { container } = render(h(App, null, h(List)));
    await settle();
    await welcome();
    await settle();
    core().confirm("everyone");
    const event = { event: "notification" };
    await act(async () => {
      core().receive(message("everyone", 1, { title: "one", message: "" }, event));
      core().receive(message("everyone", 2, { title: "two", message: "" }, event));
    });
    expect(container.textContent).toBe("two false,one false");
  });
});

describe("useStatus", () => {
  it("requests the status of the users, again after a reconnect, and follows updates", async () => {
    const Who = ({ users }: { users: string[] }) => {
      const known = useStatus(users);
      return h("p", null, users.map((user) => known.get(user)?.status ?? "?").join());
    };
    const { container, rerender } = render(h(App, null, h(Who, { users: ["ann", "bob"] })));
    await settle();
    expect(container.textContent).toBe("?,?");
    await welcome();
    const answer = (...statuses: object[]) =>
      act(async () => core().answer("get_status", { type: "statuses", statuses }));
    await answer({ user: "ann", status: "away" }, { user: "bob", status: "offline", last_seen: 5 });
    expect(container.textContent).toBe("away,offline");
    core().confirm("presence-users");
    const live = (type: string, fields: object) =>
      act(async () => core().receive({ type, channel: "presence-users", ...fields }));
    await live("member_joined", { member: { user: "bob", status: "online" } });
    await live("status_changed", { user: "ann", status: "online" });
    expect(container.textContent).toBe("online,online");
    await live("member_left", { user: "bob" });
    await answer({ user: "bob", status: "offline", last_seen: 9 });
    expect(container.textContent).toBe("online,offline");
    await live("member_left", { user: "eve" });
    expect(core().asked.size).toBe(0);
    act(() => core().connected());
    await answer({ user: "ann", status: "offline" }, { user: "bob", status: "offline" });
    expect(container.textContent).toBe("offline,offline");
    rerender(h(App, null, h(Who, { users: ["cid"] })));
    await settle();
    await answer({ user: "cid", status: "away" });
    expect(container.textContent).toBe("away");
  });
});

describe("server rendering", () => {
  it("renders without side effects", async () => {
    function Page() {
      useChannel("a");
      const lists = [useMessages("a"), useMembers("a"), useTyping("a"), useChats(), useNotifications()];
      const room = useChat("c");
      const numbers = [
        ...lists.map((list) => list.length),
        useStatus(["ann"]).size,
        room.messages.rows.length,
      ];
      return h("p", null, `${useConnectionState().status} ${numbers}`);
    }
    expect(renderToString(h(App, null, h(Page)))).toBe("<p>connecting 0,0,0,0,0,0,0</p>");
    await settle(RELEASE_MS);
    expect(cores).toEqual([]);
  });
});

it("a token may come after the first render", async () => {
  function Late() {
    const [token, setToken] = useState<string>();
    const [given] = useState(() => ({ setToken }));
    later = given.setToken;
    useEverwire({ ...options, token });
    return null;
  }
  let later: (token: string) => void = () => {};
  render(h(Late));
  await settle();
  expect(core().made.tokens).toBe(2);
  core().host.fetchToken();
  await settle();
  expect(core().of("tokenFailed")).toEqual([["there is no token yet"]]);
  act(() => later("late"));
  core().host.fetchToken();
  await settle();
  expect(core().of("token")).toEqual([["late"]]);
});
