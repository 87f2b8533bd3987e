// The people who are there from the start: whoever tries the demo can be one of them. The seed gives them their chats.

import given from "../../seed/given.json";

export interface Person {
  readonly user: string;
  readonly name: string;
  /** A few words, to choose by. */
  readonly line: string;
}

export const PEOPLE: readonly Person[] = given.people;

/** A chat that anybody may join, for those who come without any. */
export const OPEN_CHAT: { readonly id: string; readonly title: string } = given.openChat;

const BY_USER: ReadonlyMap<string, Person> = new Map(PEOPLE.map((person) => [person.user, person]));

export function personOf(user: string): Person | undefined {
  return BY_USER.get(user);
}

/** What to call somebody: as the server says, or as this page knows, or by the id. */
export function nameOf({
  user,
  name,
}: {
  readonly user: string;
  readonly name?: string | undefined;
}): string {
  return name ?? personOf(user)?.name ?? user;
}

/** The name that is enough among people who know each other. */
export function firstName(name: string): string {
  return name.split(" ")[0] || name;
}

/** Somebody to talk with, for the hint about a second window: never the visitor. */
export function partnerOf(me: string): Person {
  return (PEOPLE.find(({ user }) => user !== me && user !== "ada") ?? PEOPLE[0]) as Person;
}
