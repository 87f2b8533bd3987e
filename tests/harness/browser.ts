// Chromium: one per test file, and a fresh profile for each person in a test. Console messages and errors are
// collected, so that tests can assert that there were none.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import { afterAll, onTestFinished } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const FILES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The browser's executable: `CHROME`, or one that is installed. */
export function findBrowser(): string {
  const named = process.env.CHROME;
  if (named) return named;
  const onPath = (process.env.PATH ?? "").split(delimiter);
  const files = [...NAMES.flatMap((name) => onPath.map((directory) => join(directory, name))), ...FILES];
  const found = files.find((file) => existsSync(file));
  if (!found) throw new Error("Chromium was not found. Install it, or set CHROME to its path.");
  return found;
}

/** No network traffic of the browser's own, and TCP only for what the tests measure. */
export const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // Its sandbox refuses to run as root, which is the user of most containers.
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

let browser: Promise<Browser> | undefined;
afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

export function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: findBrowser(),
    args: ARGUMENTS,
    // The back/forward cache is part of what is tested.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  return browser;
}

/** Console messages and errors of a page. */
export interface Problem {
  readonly kind: "console" | "exception" | "policy";
  readonly text: string;
}

const problems = new WeakMap<Page, Problem[]>();

// Written by the browser itself when there is no network: expected wherever a test breaks the connection.
const NETWORK = /^Failed to load resource|^WebSocket connection to|net::ERR_/;

/** The problems of a page so far. `broken`: the test breaks connections, so the browser's own messages do not count. */
export function problemsOf(page: Page, { broken = false } = {}): Problem[] {
  return (problems.get(page) ?? []).filter(({ text }) => !(broken && NETWORK.test(text)));
}

/** A fresh profile, removed after the test. */
export async function freshContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await (await theBrowser()).newContext({
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  onTestFinished(() => context.close());
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      console.error(`content security policy: ${violatedDirective} forbids ${blockedURI}`),
    );
  });
  context.setDefaultTimeout(45_000);
  context.on("page", watch);
  return context;
}

/** A page with a profile of its own. */
export async function freshPage(options: BrowserContextOptions = {}): Promise<Page> {
  return (await freshContext(options)).newPage();
}

function watch(page: Page): void {
  const list: Problem[] = [];
  problems.set(page, list);
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error") {
      const kind = /content security policy/i.test(text) ? "policy" : "console";
      list.push({ kind, text });
    }
  });
  page.on("pageerror", (error) => list.push({ kind: "exception", text: String(error.stack ?? error) }));
}
