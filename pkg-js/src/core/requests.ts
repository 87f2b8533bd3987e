// What a client may ask the server, and what it is answered. Types only: nothing of this file is in the bundle.

import type { Chats, ClientFrame, Done, HistoryPage, Statuses } from "../generated/protocol.js";

/** What can be asked: the frames with an `id` that get an answer of their own. */
export type RequestType = Exclude<Extract<ClientFrame, { id: string }>["type"], "send">;

/** What a request of this type says. Its id is minted by the client. */
export type RequestFields<Type extends RequestType> = {
  [Field in keyof Omit<Extract<ClientFrame, { type: Type }>, "type" | "id">]:
    | Extract<ClientFrame, { type: Type }>[Field]
    | (undefined extends Extract<ClientFrame, { type: Type }>[Field] ? undefined : never);
};

/** What a request of this type is answered. */
export type AnswerTo<Type extends RequestType> = Type extends "history"
  ? HistoryPage
  : Type extends "list_chats"
    ? Chats
    : Type extends "get_status"
      ? Statuses
      : Done;

/** How to ask. */
export interface RequestOptions {
  /** How long to wait for the answer, in ms; 10 s if absent. Reconnects in that time do no harm: it is asked again. */
  timeout?: number | undefined;
}
