// Tracks the status of some users, for the bindings: requested once per connection, then kept up to date by all frames that
// report it. Independent of frameworks.

import type { Client } from "../core/client.js";
import type { Unsubscribe } from "../core/emitter.js";
import { Observable } from "../core/observable.js";
import { toUserStatus, type UserStatus } from "../core/user-status.js";
import { PRESENCE_USERS } from "../generated/protocol.js";
import { retain } from "./reference-counts.js";

/** The maximum number of users in one request. */
const MOST = 100;

/** The known status of users. */
export class StatusTracker extends Observable {
  #known: ReadonlyMap<string, UserStatus> = new Map();

  /** By user. A new map after every change. */
  get known(): ReadonlyMap<string, UserStatus> {
    return this.#known;
  }

  /** Tracks these users until the returned function is called. */
  follow(client: Client, users: readonly string[]): Unsubscribe {
    const wanted = new Set(users);
    const learn = (news: readonly UserStatus[]) => {
      const mine = news.filter(({ user }) => wanted.has(user));
      if (mine.length === 0) return;
      this.#known = new Map([...this.#known, ...mine.map((status) => [status.user, status] as const)]);
      this._changed();
    };
    const ask = (whom: readonly string[]) => {
      for (let at = 0; at < whom.length; at += MOST) {
        // A failed request is repeated on the next connection.
        client.getStatus(whom.slice(at, at + MOST)).then(learn, () => {});
      }
    };
    const offs = [
      client._onFrame((frame) => {
        if (frame.type === "status_changed") learn([toUserStatus(frame)]);
        else if (frame.type === "member_joined" && frame.channel === PRESENCE_USERS) {
          const { user, status = "online" } = frame.member;
          learn([{ user, status }]);
        } else if (
          frame.type === "member_left" &&
          frame.channel === PRESENCE_USERS &&
          wanted.has(frame.user)
        ) {
          // Only the server knows when the user was last seen.
          ask([frame.user]);
        }
      }),
      client.on("state", ({ status }) => {
        if (status === "connected") ask(users);
      }),
      retain(client.channel(PRESENCE_USERS)),
    ];
    if (client.state.status === "connected") ask(users);
    return () => {
      for (const off of offs) off();
    };
  }
}
