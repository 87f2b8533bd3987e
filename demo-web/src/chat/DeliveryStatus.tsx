// How far an own message is: a clock, one tick when it is stored, two when others have it, green when they have read it.

import { CheckIcon, ChecksIcon, ClockIcon, WarnIcon } from "../app/icons";
import type { ChatRow } from "../messenger/messengerApi";
import { howFar, type MarkKind } from "./deliveryState";
import type { RowContext } from "./rowContext";

const ICONS: Record<MarkKind, () => React.JSX.Element> = {
  waiting: ClockIcon,
  sending: ClockIcon,
  stored: CheckIcon,
  delivered: ChecksIcon,
  read: ChecksIcon,
  failed: WarnIcon,
};

export function HowFarMark({ row, context }: { row: ChatRow; context: RowContext }) {
  const { kind, words } = howFar(row, context.others);
  const Icon = ICONS[kind];
  const title = row.offset !== undefined && !context.direct ? context.whoHas(row.offset) : words;
  return (
    <span className="mark" data-mark={kind} title={title || words}>
      <Icon />
      <span className="hidden">{words}</span>
    </span>
  );
}
