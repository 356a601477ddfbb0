// Files of snapshots, and how they are opened.

/** A snapshot of an environment without services, of which a part is missing. */
export function someSnapshot(rest = {}) {
  return {
    kind: "zr-snapshot",
    version: 1,
    takenAt: new Date().toISOString(),
    environment: "shop",
    zr: "0.1.0",
    with: [],
    answers: {
      "/api/v1/services": {
        namespace: "shop",
        kubernetes: { status: "ok", latencyMs: 1 },
        services: [],
      },
    },
    missing: [
      {
        what: "the activity",
        path: "/api/v1/activity?limit=50",
        code: "not_logged_in",
        message: "log in first",
      },
    ],
    ...rest,
  };
}

/** Chooses a file with a content, which may be an object, on the screen of snapshots. */
export function chooseFile(page, content) {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return page.getByLabel("Choose a file, or drop it here").setInputFiles({
    name: "snapshot.json",
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
}

/** Drops a file of some bytes there. */
export function dropFile(page, bytes) {
  return page.getByTestId("open-snapshot").evaluate((element, size) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(size)], "snapshot.json"));
    element.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, bytes);
}
