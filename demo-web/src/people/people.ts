// The people who are there from the start: whoever tries the demo can be one of them. The seed gives them their chats.

export interface Person {
  readonly user: string;
  readonly name: string;
  /** A few words, to choose by. */
  readonly line: string;
}

export const PEOPLE: readonly Person[] = [
  { user: "ada", name: "Ada Lovelace", line: "Writes the programs" },
  { user: "grace", name: "Grace Hopper", line: "Finds the bugs" },
  { user: "linus", name: "Linus Pauling", line: "Knows the chemistry" },
  { user: "margaret", name: "Margaret Hamilton", line: "Flies to the moon" },
  { user: "katherine", name: "Katherine Johnson", line: "Checks the numbers" },
  { user: "alan", name: "Alan Turing", line: "Asks whether it halts" },
];

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
