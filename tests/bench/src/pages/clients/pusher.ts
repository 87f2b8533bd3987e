// pusher-js, configured for a self-hosted server.

import Pusher from "pusher-js";
import type { Open } from "./client.js";

export const open: Open = ({ url, channel }, { connected, subscribed, message }) => {
  const { hostname, port } = new URL(url);
  const pusher = new Pusher("key", {
    cluster: "",
    wsHost: hostname,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ["ws", "wss"],
  });
  pusher.connection.bind("connected", connected);
  const subscription = pusher.subscribe(channel).bind("message", message);
  subscription.bind("pusher:subscription_succeeded", () => subscribed?.());
  return () => pusher.disconnect();
};
