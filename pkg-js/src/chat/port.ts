// What chats and notifications use of a client: its channels, its requests, and the frames that concern the user.

import type { Client } from "../core/client.js";

export type ChatPort = Pick<
  Client,
  | "user"
  | "channel"
  | "request"
  | "_signedIn"
  | "_onFrame"
  | "_onChannel"
  | "_handles"
  | "_limits"
  | "_emitError"
>;
