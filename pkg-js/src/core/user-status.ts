// The status of a user in the public API.

import type { Status } from "../generated/protocol.js";

/** A user's status. */
export interface UserStatus {
  readonly user: string;
  readonly status: Status;
  /** When the user was last online, in ms since 1970, for a user who is offline. Absent if never. */
  readonly lastSeen?: number;
}

/** @internal Converts the field names of the protocol. */
export function toUserStatus<Wire extends { last_seen?: number }>({
  last_seen,
  ...rest
}: Wire): Omit<Wire, "last_seen"> & { readonly lastSeen?: number } {
  return last_seen == null ? rest : { ...rest, lastSeen: last_seen };
}
