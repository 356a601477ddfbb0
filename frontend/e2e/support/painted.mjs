// How soon a page paints what it is told.

/** Runs in the page: notes when texts that hold a time of this machine are painted, and how old they are then. */
export function installAges(selector) {
  globalThis.ages = [];
  const seen = new Set();
  new MutationObserver(() => {
    for (const part of document.querySelectorAll(selector)) {
      const [, sent] = /sent at (\d+)/.exec(part.textContent) ?? [];
      if (sent && !seen.has(sent)) {
        seen.add(sent);
        // After the frame that this mutation is part of.
        requestAnimationFrame(() => setTimeout(() => ages.push(Date.now() - Number(sent)), 0));
      }
    }
  }).observe(document, { childList: true, characterData: true, subtree: true });
}

/** Runs in the page: notes what a part says each time that something else of it is painted, and when. */
export function installSayings(selector) {
  globalThis.sayings = [];
  let said;
  new MutationObserver(() => {
    const text = document.querySelector(selector)?.textContent;
    if (text !== said) {
      said = text;
      requestAnimationFrame(() =>
        setTimeout(() => sayings.push({ text: text ?? "", at: Date.now() }), 0),
      );
    }
  }).observe(document, { childList: true, characterData: true, subtree: true });
}

/** The q-th quantile of samples by nearest rank, undefined where there are none. */
export function quantile(samples, q) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}
