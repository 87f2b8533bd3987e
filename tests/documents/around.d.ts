// What the code in the documents uses from the application around it. The page of these tests (page/main.ts) has all of
// it: functions of the application record how they are called.

declare const client: import("everwire").Client;
declare const id: string;
declare function fetchToken(): Promise<string>;
declare function render(...what: unknown[]): void;
declare function toast(title: string, message: string): void;
declare function badge(unread: number): void;
declare function showStatus(...what: (string | undefined)[]): void;
declare function showMessage(name: string | undefined, text: string): void;
declare function showMembers(names: readonly string[]): void;
declare function showChats(chats: readonly import("everwire/chat").Chat[], unread: number): void;
declare function showRoom(
  rows: readonly import("everwire/chat").Row[],
  typists: readonly import("everwire").Typist[],
  here: readonly import("everwire").Member[],
): void;
declare function showToast(title: string, message: string): void;
declare function refresh(entity: string, action: string, data: unknown): void;
declare function onKey(listener: () => void): void;
declare function onSubmit(listener: (text: string) => void): void;
declare function onSeen(listener: (id: string) => void): void;
