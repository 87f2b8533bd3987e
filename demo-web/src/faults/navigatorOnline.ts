// Overrides `navigator.onLine` and the events that go with it.

/** The parts of `window` that it replaces or uses. */
export interface OnlinePage {
  navigator: { readonly onLine: boolean };
  addEventListener(type: string, listener: (event: Event) => void, capture: boolean): void;
}

/** Makes `navigator.onLine` false while `offline()` is true, and suppresses the browser's own `online` events. */
export function overrideOnLine(page: OnlinePage, offline: () => boolean): void {
  const { navigator } = page;
  const prototype = Object.getPrototypeOf(navigator);
  const real = () => Boolean(Reflect.get(prototype, "onLine", navigator) ?? true);
  Object.defineProperty(navigator, "onLine", { configurable: true, get: () => real() && !offline() });
  page.addEventListener(
    "online",
    (event) => {
      if (offline()) event.stopImmediatePropagation();
    },
    true,
  );
}
