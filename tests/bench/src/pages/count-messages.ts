// Counts WebSocket messages in the same way for all clients, without looking at their contents. Must be imported before
// any client: some of them keep a reference to the constructor.

let messages = 0;

/** The number of messages since the last call. */
export function takeCount(): number {
  const result = messages;
  messages = 0;
  return result;
}

globalThis.WebSocket = class extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    this.addEventListener("message", () => {
      messages++;
    });
  }
};
