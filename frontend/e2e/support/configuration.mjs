// The configuration as the api speaks of it: settings that are previewed, changed
// and gone back to. What it reads is a line for each setting, with a value in JSON
// or as it stands.

const BASE = "/api/v1/configuration";

/** The configuration of an environment that was changed once since its file was applied. */
export function someConfiguration() {
  const ofFile = { LOG_LEVEL: "info", PAGE_SIZE: "50", GREETING: "Good morning" };
  const now = { ...ofFile, LOG_LEVEL: "debug" };
  return {
    settings: now,
    etag: 41,
    behind: [],
    readers: {
      LOG_LEVEL: ["Deployment/api", "Deployment/frontend"],
      PAGE_SIZE: ["Deployment/api"],
    },
    revisions: [
      revision(12, now, { author: "ana", reason: "to see what it asks redis" }),
      revision(11, ofFile, { author: "zr", reason: "config/dev.yaml", at: hoursAgo(3) }),
    ],
    secrets: [
      {
        name: "secrets",
        settable: true,
        createdAt: hoursAgo(50),
        changedAt: hoursAgo(2),
        source: "config/secrets/dev.env",
        keys: [
          { name: "API_TOKEN", usedBy: ["Deployment/api"] },
          { name: "POSTGRES_PASSWORD", usedBy: ["Deployment/api", "StatefulSet/postgres"] },
        ],
      },
      { name: "registry", settable: false, keys: [{ name: "password", usedBy: [] }] },
    ],
  };
}

export function hoursAgo(hours) {
  return new Date(Date.now() - hours * 3_600_000).toISOString();
}

/** A revision with all that it has. */
export function revision(number, settings, rest = {}) {
  return {
    revision: number,
    at: hoursAgo(1),
    author: "ana",
    reason: "why not",
    outcome: "written",
    settings,
    ...rest,
  };
}

/** Settings of somebody else, who has changed them meanwhile. */
export function changeMeanwhile(configuration, changes) {
  const number = configuration.revisions[0].revision + 1;
  configuration.settings = { ...configuration.settings, ...changes };
  configuration.etag++;
  const reason = "meanwhile";
  configuration.revisions.unshift(
    revision(number, configuration.settings, { author: "ben", reason, at: hoursAgo(0) }),
  );
}

/** Answers a request about the configuration of a state. */
export async function configurationOf(state, request, answer) {
  const c = state.configuration;
  const { pathname, searchParams } = new URL(request.url, "http://upstream");
  const path = pathname.slice(BASE.length);
  const refuse = (status, code, detail, rest = {}) =>
    answer(status, { type: `urn:zr:problem:${code}`, detail, ...rest });
  if (!request.headers.cookie) {
    return refuse(401, "not_logged_in", "log in first");
  }
  if (request.method !== "GET" && state.role === "viewer") {
    return refuse(403, "role_too_low", "this is for operators");
  }
  const body = JSON.parse((await bodyOf(request)) || "{}");
  if (path === "/schema") {
    return answer(200, {
      description: 'Settings become the ConfigMap "settings".',
      additionalProperties: { type: ["string", "number", "boolean"] },
    });
  }
  if (path === "/secrets") {
    return answer(200, { secrets: c.secrets });
  }
  if (path.startsWith("/secrets/")) {
    return state.onSecret(path.slice("/secrets/".length), body.value, searchParams, answer);
  }
  if (!c.settings) {
    return refuse(404, "not_found", 'the environment has no ConfigMap "settings"');
  }
  if (path === "" && request.method === "GET") {
    return answer(200, settingsOf(c));
  }
  if (path === "/preview") {
    const { settings, errors } = parse(body.text);
    return errors.length > 0
      ? refuse(422, "invalid", "these are no settings", { errors })
      : answer(200, { ...planOf(c, settings), ...written(settings), etag: etagOf(c) });
  }
  if (c.databaseError) {
    return refuse(503, "database_unavailable", c.databaseError);
  }
  if (path === "/revisions") {
    return answer(200, { revisions: c.revisions.map(({ settings, ...rest }) => rest) });
  }
  const [, number, restore] = /^\/revisions\/(\d+)(\/restore)?$/.exec(path) ?? [];
  const one = c.revisions.find((each) => each.revision === Number(number));
  if (number && !one) {
    return refuse(404, "not_found", "there is no such revision");
  }
  if (number && !restore) {
    const against = Number(searchParams.get("against"));
    const other = c.revisions.find((each) => each.revision === against)?.settings ?? c.settings;
    const { settings, ...rest } = one;
    return answer(200, { ...rest, text: textOf(settings), changes: compare(other, settings) });
  }
  const match = request.headers["if-match"];
  if (match !== etagOf(c)) {
    return refuse(412, "changed_meanwhile", "the settings were changed meanwhile");
  }
  const settings = restore ? one.settings : parse(body.text).settings;
  const change = { settings, reason: body.reason, key: request.headers["idempotency-key"] };
  const plan = planOf(c, settings);
  const finish = () => {
    const next = c.revisions[0].revision + 1;
    const { reason } = body;
    c.settings = settings;
    c.etag++;
    c.revisions.unshift(
      revision(next, settings, { reason, at: hoursAgo(0), restores: one?.revision }),
    );
    answer(200, { ...plan, revision: next, etag: etagOf(c) });
  };
  return state.onConfigure ? state.onConfigure(change, { finish, refuse }) : finish();
}

function settingsOf(c) {
  const { settings, revisions, readers, behind } = c;
  const [{ revision, author, reason } = { author: "zr", reason: "config/dev.yaml" }] = revisions;
  return {
    text: textOf(settings),
    settings: entriesOf(settings).map(([key, value]) => ({
      key,
      value,
      usedBy: readers[key] ?? [],
    })),
    source: author === "zr" ? reason : `revision ${revision} by ${author}: ${reason}`,
    ...(author !== "zr" && { revision }),
    behind,
    etag: etagOf(c),
  };
}

const etagOf = (c) => `"${c.etag}"`;
const entriesOf = (settings) => Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
const textOf = (settings) =>
  entriesOf(settings)
    .map(([key, value]) => `${key}: ${value.includes("\n") ? JSON.stringify(value) : value}\n`)
    .join("");

function written(settings) {
  const values = entriesOf(settings).map(([key, value]) => ({ key, value }));
  return { text: textOf(settings), settings: values };
}

function compare(before, after) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ key, old: before[key], new: after[key] }));
}

function planOf(c, settings) {
  const changes = compare(c.settings, settings);
  const rolls = [...new Set(changes.flatMap(({ key }) => c.readers[key] ?? []))].sort();
  return { changes, rolls, later: [] };
}

/** Reads a line for each setting; what begins with a bracket is no text. */
function parse(text) {
  const settings = {};
  const errors = [];
  for (const [i, line] of text.split("\n").entries()) {
    const [, key, value] = /^"?([^":]*)"?:\s*(.*)$/.exec(line) ?? [];
    const fault = (message, column) =>
      errors.push({ location: "body.text", message, line: i + 1, column });
    if (line === "") {
      continue;
    }
    if (key === undefined) {
      fault("not valid YAML", 1);
    } else if (value.startsWith("[")) {
      fault(`settings.${key}: expected text`, key.length + 3);
    } else if (!/^[\w.-]+$/.test(key)) {
      fault(`settings: ${JSON.stringify(key)} cannot be a key of a ConfigMap`, 1);
    } else {
      settings[key] = value.startsWith('"') ? JSON.parse(value) : value;
    }
  }
  return { settings, errors };
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
  }
  return text;
}
