// Firefox, through WebDriver BiDi: as far as these tests need it.

import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Link, startBrowser } from "./remote";
import { until } from "./until";

const NAMES = ["firefox", "firefox-esr"];
const FILES = ["/Applications/Firefox.app/Contents/MacOS/firefox"];

/** Firefox's executable: `FIREFOX`, or one that is installed. */
export function findFirefox(): string | undefined {
  const named = process.env.FIREFOX;
  if (named) return named;
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const files = [...NAMES.flatMap((name) => onPath.map((directory) => join(directory, name))), ...FILES];
  return files.find((file) => existsSync(file));
}

/** No network traffic of the browser's own. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,none",
  "toolkit.telemetry.enabled": false,
};

/** The result of `script.callFunction`. */
interface Called {
  readonly type: "success" | "exception";
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
}

/** A browser that is closed after the test. */
export class Firefox {
  private constructor(readonly link: Link) {}

  static async start(): Promise<Firefox> {
    const program = findFirefox();
    if (program === undefined)
      throw new Error("Firefox was not found. Install it, or set FIREFOX to its path.");
    const link = await startBrowser({
      name: "firefox",
      program,
      flags: (profile) => {
        const lines = Object.entries(PREFERENCES).map(([n, v]) => `user_pref("${n}", ${JSON.stringify(v)});`);
        writeFileSync(join(profile, "user.js"), lines.join("\n"));
        return ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile];
      },
      // It refuses a home directory that belongs to another user.
      env: (profile) => ({ HOME: profile, MOZ_CRASHREPORTER_DISABLE: "1" }),
      address: (said) => {
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1];
        return found && `${found}/session`;
      },
    });
    await link.call("session.new", { capabilities: {} });
    return new Firefox(link);
  }

  /** Opens a URL in a user context of its own, which shares nothing with the others. */
  async open(url: string): Promise<FirefoxTab> {
    const { userContext } = await this.link.call<{ userContext: string }>("browser.createUserContext");
    const of = { type: "window", userContext };
    const { context } = await this.link.call<{ context: string }>("browsingContext.create", of);
    const tab = new FirefoxTab(this.link, context);
    await tab.goto(url);
    return tab;
  }
}

export class FirefoxTab {
  constructor(
    readonly link: Link,
    readonly context: string,
  ) {}

  async goto(url: string): Promise<void> {
    await this.#call("browsingContext.navigate", { url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.#call("browsingContext.reload", { wait: "complete" });
  }

  /** Runs a function in the page, like Playwright's. */
  async evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument?: A): Promise<R> {
    const called = await this.link.call<Called>("script.callFunction", {
      // As JSON, because BiDi has its own representation of values.
      functionDeclaration: `async (argument) => JSON.stringify(await (${run})(argument && JSON.parse(argument)))`,
      arguments: argument === undefined ? [] : [{ type: "string", value: JSON.stringify(argument) }],
      target: { context: this.context },
      awaitPromise: true,
    });
    if (called.type === "exception") throw new Error(called.exceptionDetails?.text);
    return called.result?.value === undefined ? (undefined as R) : (JSON.parse(called.result.value) as R);
  }

  /** Waits for an element that matches a selector and, if given, has this text, and clicks it. */
  async press(selector: string, text = ""): Promise<void> {
    await until(`${selector} "${text}" can be pressed`, () =>
      this.evaluate(
        ([selector, text]) => {
          const all = [...document.querySelectorAll<HTMLElement>(selector)];
          const found = all.find((element) => element.textContent.includes(text));
          found?.click();
          return found !== undefined;
        },
        [selector, text] as const,
      ),
    );
  }

  /** Types into the focused element like a keyboard. `\n` is the Enter key. */
  async type(text: string): Promise<void> {
    const keys = [...text.replaceAll("\n", "\uE007")];
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#call("input.performActions", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  #call<T>(method: string, params: Readonly<Record<string, unknown>>): Promise<T> {
    return this.link.call<T>(method, { context: this.context, ...params });
  }
}
