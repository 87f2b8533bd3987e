// A tab that can really be hidden and frozen. Playwright makes every page believe that it has the focus, which prevents
// both, so this speaks Chromium's protocol itself, as far as these tests need it.

import { ARGUMENTS, findBrowser } from "./browser";
import { type Link, type Params, startBrowser } from "./remote";
import { until } from "./until";

export class Tab {
  readonly #link: Link;
  readonly #target: string;
  readonly #session: string;

  private constructor(link: Link, target: string, session: string) {
    this.#link = link;
    this.#target = target;
    this.#session = session;
  }

  /** Opens a URL in a browser of its own, which ends with the test. */
  static async open(url: string): Promise<Tab> {
    const link = await launch();
    return Tab.#in(link, url);
  }

  static async #in(link: Link, url: string): Promise<Tab> {
    const { targetId } = await link.call<{ targetId: string }>("Target.createTarget", { url });
    const attach = { targetId, flatten: true };
    const { sessionId } = await link.call<{ sessionId: string }>("Target.attachToTarget", attach);
    const tab = new Tab(link, targetId, sessionId);
    const ready = (url: string) => location.href.startsWith(url) && document.readyState === "complete";
    await until("the tab has loaded", () => tab.evaluate(ready, url).catch(() => false));
    return tab;
  }

  /** Runs a function in the page, like Playwright's. */
  async evaluate<R, A>(run: (argument: A) => R | Promise<R>, argument?: A): Promise<R> {
    const params = {
      expression: `(${run})(${JSON.stringify(argument) ?? ""})`,
      returnByValue: true,
      awaitPromise: true,
    };
    const { result, exceptionDetails } = await this.#call<{
      result: { value: R };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>("Runtime.evaluate", params);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Opens another tab in front of it. */
  async hide(): Promise<void> {
    await Tab.#in(this.#link, "about:blank");
    await until("the tab is hidden", () => this.evaluate(() => document.hidden));
  }

  /** Brings it to the front. */
  async show(): Promise<void> {
    await this.#link.call("Target.activateTarget", { targetId: this.#target });
  }

  /** Like the browser does with background tabs. */
  async freeze(): Promise<void> {
    await this.#call("Page.setWebLifecycleState", { state: "frozen" });
  }

  async resume(): Promise<void> {
    await this.#call("Page.setWebLifecycleState", { state: "active" });
  }

  #call<T>(method: string, params: Params): Promise<T> {
    return this.#link.call<T>(method, params, this.#session);
  }
}

function launch(): Promise<Link> {
  return startBrowser({
    name: "chromium",
    program: findBrowser(),
    flags: (profile) => [
      ...ARGUMENTS,
      "--headless=new",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    address: (said) => /listening on (ws:\S+)/.exec(said)?.[1],
  });
}
