import { expect, test } from "vitest";
import { aService } from "@/lib/stack/fixtures";
import { dependentsOf, whyNot } from "./actions";
import { whyNobody } from "./session";
import { changeTitle, consequence, done } from "./words";

test.each([
  ["stop", {}, undefined],
  ["restart", {}, undefined],
  ["scale", {}, undefined],
  ["start", {}, "It runs."],
  ["start", { desired: 0 }, undefined],
  ["scale", { desired: 0 }, undefined],
  ["stop", { desired: 0 }, "It is stopped."],
  ["restart", { kind: "Job" }, "A Job is run again, and not changed."],
  ["run", { kind: "Job" }, undefined],
  ["run", {}, "It is no Job."],
  ["rollback", {}, undefined],
  ["rollback", { desired: 0 }, undefined],
  ["restart", { kind: "DaemonSet" }, "A DaemonSet is not changed from here."],
  ["stop", { kind: "" }, "Kubernetes does not say what it is."],
] as const)("%s of a service with %o", (action, service, reason) => {
  expect(whyNot(action, aService(service))).toBe(reason);
});

test("who depends on a service is who names it and runs", () => {
  const services = [
    aService({ name: "redis" }),
    aService({ name: "api", dependsOn: ["redis"] }),
    aService({ name: "worker", dependsOn: ["redis"], desired: 0 }),
    aService({ name: "frontend", dependsOn: ["api"] }),
  ];
  expect(dependentsOf("redis", services)).toEqual(["api"]);
});

test.each([
  [
    { action: "stop" },
    1,
    [],
    "api answers nothing until it is started again. No service that runs says that it depends on it.",
  ],
  [
    { action: "stop" },
    1,
    ["a", "b"],
    "api answers nothing until it is started again. a and b depend on it and will fail.",
  ],
  [
    { action: "scale", replicas: 0 },
    2,
    ["a"],
    "api answers nothing until it is started again. a depends on it and will fail.",
  ],
  [{ action: "scale", replicas: 1 }, 3, ["a"], "2 pods of api are ended, 1 stays."],
  [{ action: "scale", replicas: 3 }, 2, [], "api gets 1 pod more."],
  [
    { action: "rollback", revision: 3 },
    2,
    [],
    "The pods of api are replaced by those of revision 3.",
  ],
  [
    { action: "run" },
    1,
    [],
    "The Job api is deleted and made again. What it did before is not undone.",
  ],
  [{ action: "restart" }, 2, [], "The 2 pods of api are replaced in turn."],
] as const)("what follows from %o", (change, desired, dependents, text) => {
  expect(consequence({ service: "api", ...change }, desired, [...dependents])).toBe(text);
});

test("titles and outcomes name the service and its pods", () => {
  expect(changeTitle({ service: "api", action: "scale", replicas: 1 })).toBe("Scale api to 1 pod");
  expect(changeTitle({ service: "api", action: "stop" })).toBe("Stop api");
  expect(changeTitle({ service: "seed", action: "run" })).toBe("Run seed again");
  expect(changeTitle({ service: "api", action: "rollback", revision: 3 })).toBe(
    "Roll api back to revision 3",
  );
  expect(done({ service: "seed", action: "run" }, { replicas: 0, ready: 0 })).toBe(
    "seed has run again, and completed",
  );
  expect(done({ service: "api", action: "rollback", revision: 3 }, { replicas: 1, ready: 1 })).toBe(
    "api is at revision 3: 1 of 1 pod ready",
  );
  expect(done({ service: "api", action: "stop" }, { replicas: 0, ready: 0 })).toBe(
    "api is stopped: it has no pods",
  );
  expect(done({ service: "api", action: "restart" }, { replicas: 2, ready: 2 })).toBe(
    "api is restarted: 2 of 2 pods ready",
  );
  expect(done({ service: "api", action: "scale", replicas: 1 }, { replicas: 1, ready: 1 })).toBe(
    "api is running: 1 of 1 pod ready",
  );
});

test("who may change nothing is told why", () => {
  expect(whyNobody({ name: "ana", role: "operator" }, null)).toBeUndefined();
  expect(whyNobody({ name: "ana", role: "viewer" }, null)?.text).toContain("ana is a viewer");
  const problem = { code: "not_logged_in", message: "" } as const;
  expect(whyNobody(undefined, problem)?.command).toBe("zr dashboard");
  expect(whyNobody(undefined, { code: "api_error", message: "redis is away" })?.text).toContain(
    "redis is away",
  );
});
