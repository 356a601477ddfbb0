// What a page costs, told by the browser.

/**
 * Tells, each time it is called, how many milliseconds of the processor the page's main
 * thread took since the last time. It is not the time on the wall: what else the machine
 * has to do does not count.
 */
export async function processorOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  let before = 0;
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const now = 1_000 * metrics.find(({ name }) => name === "TaskDuration").value;
    // Another document may have another process, which begins at 0.
    const took = now < before ? now : now - before;
    before = now;
    return took;
  };
}
