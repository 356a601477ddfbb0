// What a test sees of the notifications that a page makes.

/** Runs in the page: keeps the notifications that it makes, and counts how often it asks to be allowed. */
export function noteNotifications() {
  const Real = globalThis.Notification;
  globalThis.asked = 0;
  globalThis.made = [];
  globalThis.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      globalThis.made.push(this);
    }
    static requestPermission() {
      globalThis.asked++;
      return Real.requestPermission();
    }
  };
}

/** Runs in the page: a browser without a window hides none, so the page is told that it is. */
export function setVisibility(state) {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}
