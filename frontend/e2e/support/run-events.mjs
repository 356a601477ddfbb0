// What runs of zr tell, as the api hands it out.

const MS = 1e6;
const SECOND = 1_000;

const ago = (ms) => new Date(Date.now() - ms).toISOString();

/** ana's `zr dev`, which waits for a save. */
export function attachedRun(rest = {}) {
  return {
    run: "R1",
    verb: "dev",
    user: "ana",
    machine: "laptop",
    folder: "/home/ana/shop",
    process: 4711,
    since: ago(3_600 * SECOND),
    actions: ["apply", "configure", "rebuild", "restart"],
    now: [],
    ...rest,
  };
}

let ids = 0;

/** An event, later than those before it. */
export function runEvent(type, data, rest = {}) {
  ids++;
  return {
    id: ids,
    run: "R1",
    verb: "dev",
    user: "ana",
    machine: "laptop",
    folder: "/home/ana/shop",
    at: ago(0),
    type,
    ...rest,
    data,
  };
}

/** A save of one file of the api, live after 400 ms. */
export function save(data = {}, rest = {}) {
  const whole = {
    service: "api",
    action: "restart",
    paths: ["cmd/api/main.go"],
    bytes: 48_213,
    saved: ago(SECOND),
    noticed: 10 * MS,
    built: 300 * MS,
    sent: 20 * MS,
    swapped: 30 * MS,
    healthy: 40 * MS,
    ...data,
  };
  return runEvent("reload", whole, { service: whole.service, ...rest });
}

/** One that the compiler refused, with the places that it named. */
export function refusedSave(places = PLACES) {
  const error = places.map(({ file, line, column, message }) => {
    return `${file}:${line}:${column}: ${message}`;
  });
  const data = { error: error.join("\n"), sent: 0, swapped: 0, healthy: 0 };
  return save(data, { places });
}

const PLACES = [
  { file: "cmd/api/main.go", line: 12, column: 3, message: "undefined: slog.Now" },
  { file: "cmd/api/routes.go", line: 40, column: 9, message: "missing return" },
];

/** One whose version did not get healthy, and was taken back. */
export function takenBack() {
  const error =
    "the last good version was put back (it answered again after 85ms): the process ended with exit code 2\npanic: out of words\n\ngoroutine 1 [running]:\nmain.main()";
  return save({ error, rolledBack: true, paths: ["cmd/api/main.go", "go.mod", "go.sum"] });
}

/** The events of a `zr up` that went well, the oldest first. */
export function broughtUp() {
  const of = (ms) => ({ run: "R0", verb: "up", at: ago(7_200 * SECOND - ms) });
  const started = (step, title, ms) => runEvent("step.started", { step, title }, of(ms));
  const done = (step, ms, from, rest = {}) =>
    runEvent("step.done", { step, took: (ms - from) * MS, ...rest }, of(ms));
  return [
    started("cluster", "make the cluster", 0),
    started("images", "make the images", 20),
    done("cluster", 900, 0, { unchanged: true }),
    done("images", 8_400, 20, { detail: "2 of 4 built" }),
    started("apply", "apply the manifests", 8_400),
    done("apply", 9_100, 8_400, { detail: "12 objects" }),
    started("health", "wait for health", 9_100),
    done("health", 12_300, 9_100),
    runEvent("ready", { took: 12_400 * MS, endpoints: {} }, of(12_400)),
  ];
}

/** The metrics of a day. */
export function delivery() {
  const to = Date.now();
  const moment = (i, changes, failed, lead, restore) => ({
    at: new Date(to - (24 - i) * 3_600 * SECOND).toISOString(),
    changes,
    failed,
    ...(lead && { leadTimeMedianMs: lead }),
    ...(restore && { timeToRestoreMedianMs: restore }),
  });
  return {
    from: new Date(to - 24 * 3_600 * SECOND).toISOString(),
    to: new Date(to).toISOString(),
    stepSeconds: 3_600,
    reloads: {
      changes: 84,
      perHour: 3.5,
      failed: 11,
      rolledBack: 2,
      failureRate: 11 / 84,
      leadTime: { count: 71, medianMs: 412, p95Ms: 1_840 },
      timeToRestore: { count: 8, medianMs: 34_000, p95Ms: 190_000 },
      broken: 1,
      curve: [
        moment(8, 6, 0, 380),
        moment(9, 14, 3, 420, 21_000),
        moment(10, 22, 2, 400, 34_000),
        moment(11, 9, 0, 390),
        moment(13, 12, 4, 900, 95_000),
        moment(14, 18, 1, 410, 12_000),
        moment(23, 3, 1, 430),
      ],
    },
    deploys: {
      changes: 3,
      perHour: 0.125,
      failed: 0,
      rolledBack: 0,
      failureRate: 0,
      leadTime: { count: 3, medianMs: 12_400, p95Ms: 41_000 },
      broken: 0,
      curve: [moment(8, 2, 0, 26_000), moment(22, 1, 0, 12_400)],
    },
  };
}
