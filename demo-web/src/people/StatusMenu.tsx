// The user's own menu: the status that others see, the theme, and switching to another person.

import { LogOutIcon, MoonIcon, SunIcon } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Menu, type MenuItem } from "../controls/Menu";
import { useChatList, useMessenger } from "../messenger/context";
import type { Status, StatusChoice } from "../messenger/messengerApi";
import { useTheme } from "../page/theme";
import { Avatar } from "./Avatar";
import type { Identity } from "./identity";
import { StatusDot } from "./StatusDot";
import { CHOICES } from "./statusText";
import { useOnline } from "./useOnline";

interface Props {
  me: Identity;
  onSignOut(): void;
}

const ORDER: readonly StatusChoice[] = ["auto", "online", "away", "offline"];

export function StatusMenu({ me, onSignOut }: Props) {
  const client = useMessenger();
  const [choice, setChoice] = useRememberedChoice(me.user);
  const [theme, toggleTheme] = useTheme();
  const status = useOwnStatus(me.user) ?? (choice === "auto" ? "online" : choice);

  const choose = (next: StatusChoice) => {
    const before = choice;
    setChoice(next);
    client.setStatus(next).then(undefined, () => setChoice(before));
  };

  const items: MenuItem[] = ORDER.map((one) => ({
    ...CHOICES[one],
    icon: <StatusDot status={one === "auto" ? "online" : one} />,
    checked: one === choice,
    onChoose: () => choose(one),
  }));
  items.push(
    {
      name: theme === "dark" ? "Use light colours" : "Use dark colours",
      icon: theme === "dark" ? <SunIcon /> : <MoonIcon />,
      onChoose: toggleTheme,
    },
    { name: "Switch person", icon: <LogOutIcon />, onChoose: onSignOut },
  );

  return (
    <Menu label="You" plain className="myself" items={items} testId="myself">
      <Avatar user={me.user} name={me.name} status={status} />
      <span className="myself-text">
        <span className="visually-hidden">You: </span>
        <bdi className="name">{me.name}</bdi>
        <span className="visually-hidden">, </span>
        <span className="muted">
          {status}
          {choice !== "auto" && " (set manually)"}
        </span>
      </span>
    </Menu>
  );
}

/** The user's status as others see it, from any list that the server sends. */
function useOwnStatus(me: string): Status | undefined {
  const online = (useOnline() as readonly { user: string; status?: Status }[]).find(
    ({ user }) => user === me,
  )?.status;
  const inChats = useChatList()
    .flatMap(({ members }) => members)
    .find(({ user }) => user === me)?.status;
  return online ?? inChats;
}

const KEY = "everwire-demo.status";

/** The chosen status is kept by the server, which does not send it back, so it is stored here as well. */
function useRememberedChoice(user: string): [StatusChoice, (choice: StatusChoice) => void] {
  const key = `${KEY}.${user}`;
  const [choice, setChoice] = useState<StatusChoice>("auto");
  useEffect(() => {
    try {
      const stored = localStorage.getItem(key);
      if (ORDER.includes(stored as StatusChoice)) setChoice(stored as StatusChoice);
    } catch {
      // Storage is denied: the earlier choice is unknown here.
    }
  }, [key]);
  const choose = useCallback(
    (next: StatusChoice) => {
      setChoice(next);
      try {
        if (next === "auto") localStorage.removeItem(key);
        else localStorage.setItem(key, next);
      } catch {
        // Storage is denied: the server still knows the choice.
      }
    },
    [key],
  );
  return [choice, choose];
}
