// centrifuge-js with its JSON protocol.

import { Centrifuge } from "centrifuge";
import { type Open, webSocketUrl } from "./client.js";

export const open: Open = ({ url, channel }, { connected, subscribed, message }) => {
  const centrifuge = new Centrifuge(webSocketUrl(url));
  centrifuge.on("connected", connected);
  const subscription = centrifuge.newSubscription(channel);
  subscription.on("publication", ({ data }) => message(data));
  subscription.on("subscribed", () => subscribed?.());
  subscription.subscribe();
  centrifuge.connect();
  return () => centrifuge.disconnect();
};
