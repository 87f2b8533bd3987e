// The requests of a client and their answers. Types only: nothing of this file is in the bundle.

import type { Answers, ClientFrame } from "../generated/protocol.js";

/** The types of requests: frames with an `id` that have an answer. */
export type RequestType = keyof Answers;

/** The fields of a request of this type. The client creates its id. */
export type RequestFields<Type extends RequestType> = {
  [Field in keyof Omit<Extract<ClientFrame, { type: Type }>, "type" | "id">]:
    | Extract<ClientFrame, { type: Type }>[Field]
    | (undefined extends Extract<ClientFrame, { type: Type }>[Field] ? undefined : never);
};

/** The answer to a request of this type. */
export type AnswerTo<Type extends RequestType> = Answers[Type];

/** Options of a request. */
export interface RequestOptions {
  /** How long to wait for the answer, in ms; 10 s by default. The request is repeated after reconnects. */
  timeout?: number | undefined;
}
