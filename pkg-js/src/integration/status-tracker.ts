// The status of some users, for the bindings: asked for once per connection, and then kept up to date by whatever this
// client hears of it. Framework-free.

import type { Client } from "../core/client.js";
import type { Unsubscribe } from "../core/emitter.js";
import { Observable } from "../core/observable.js";
import { toUserStatus, type UserStatus } from "../core/user-status.js";
import { PRESENCE_USERS } from "../generated/protocol.js";
import { retain } from "./reference-counts.js";

/** How many users can be asked about at once. */
const MOST = 100;

/** The status of users, as far as it is known. */
export class StatusTracker extends Observable {
  #known: ReadonlyMap<string, UserStatus> = new Map();

  /** By user. A new map whenever it changed. */
  get known(): ReadonlyMap<string, UserStatus> {
    return this.#known;
  }

  /** Follows these users until it is told not to. */
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
        // What fails is asked again with the next connection.
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
          // The server knows when the user was last there.
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
