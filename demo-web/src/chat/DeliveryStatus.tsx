// The delivery status of an own message: a clock, one tick once it is stored, two once it is delivered, green once it
// is read.

import { CheckCheckIcon, CheckIcon, CircleAlertIcon, ClockIcon, type LucideIcon } from "lucide-react";
import type { ChatRow } from "../messenger/messengerApi";
import { type DeliveryStateKind, deliveryState } from "./deliveryState";
import type { RowContext } from "./rowContext";

const ICONS: Record<DeliveryStateKind, LucideIcon> = {
  waiting: ClockIcon,
  sending: ClockIcon,
  stored: CheckIcon,
  delivered: CheckCheckIcon,
  read: CheckCheckIcon,
  failed: CircleAlertIcon,
};

export function DeliveryStatus({ row, context }: { row: ChatRow; context: RowContext }) {
  const { kind, text } = deliveryState(row, context.others);
  const Icon = ICONS[kind];
  const title = row.offset !== undefined && !context.direct ? context.receiptText(row.offset) : text;
  return (
    <span className="delivery-status" data-state={kind} title={title || text}>
      <Icon />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}
