// Counts WebSocket messages for all clients in the same way, without looking at what is in them. To be imported before any
// client: some of them keep the constructor that they find when they are loaded.

let messages = 0;

/** How many have come since the last call. */
export function counted(): number {
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
