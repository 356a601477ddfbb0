// Writes the description of the routes as a page. Text is put into the page as
// text and never as markup.

const make = (tag, ...children) => {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
};

const code = (text) => make("code", text);

const table = (heads, rows) =>
  make("table", make("thead", make("tr", ...heads.map((head) => make("th", head)))), make("tbody", ...rows.map((cells) => make("tr", ...cells.map((cell) => make("td", cell))))));

const nameOf = (reference) => reference.split("/").pop();

/** The type of a schema in one line: "string", "Service[]", "ok | down". */
function typeOf(schema = {}) {
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items)}[]`;
  if (schema.type === "object" && typeof schema.additionalProperties === "object") return `{name: ${typeOf(schema.additionalProperties)}}`;
  return [schema.type ?? "any", schema.format && `(${schema.format})`].filter(Boolean).join(" ");
}

function fields(schema) {
  const required = new Set(schema.required ?? []);
  return table(
    ["field", "type", "meaning"],
    Object.entries(schema.properties ?? {}).map(([name, field]) => [code(required.has(name) ? name : `${name}?`), code(typeOf(field)), field.description ?? ""]),
  );
}

function routeSection(method, path, route) {
  const section = make("section", make("h3", code(`${method.toUpperCase()} ${path}`)), make("p", route.summary ?? ""));
  if (route.description) section.append(make("p", route.description));
  const role = route.security?.[0]?.session?.[0];
  section.append(make("p", role ? `Who may: ${role}` : "Who may: anybody who can reach the api"));
  if (route.parameters?.length) {
    section.append(table(["parameter", "in", "type", "meaning"], route.parameters.map((p) => [code(p.name), p.in, code(typeOf(p.schema)), p.description ?? ""])));
  }
  const body = route.requestBody?.content?.["application/json"]?.schema;
  if (body) section.append(make("p", "Body: ", code(typeOf(body))));
  section.append(
    table(["status", "answer"], Object.entries(route.responses ?? {}).map(([status, response]) => [code(status), code(Object.values(response.content ?? {}).map((c) => typeOf(c.schema)).join(", ") || "no body")])),
  );
  return section;
}

async function show() {
  const answer = await fetch("/api/v1/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const description = await answer.json();
  document.getElementById("about").textContent = `Version ${description.info.version}. ${description.info.description ?? ""}`;
  const groups = new Map();
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, route] of Object.entries(item)) {
      const group = route.tags?.[0] ?? "other";
      groups.set(group, [...(groups.get(group) ?? []), routeSection(method, path, route)]);
    }
  }
  const routes = document.getElementById("routes");
  const links = document.getElementById("groups");
  const add = (name, ...content) => {
    const heading = make("h2", name);
    heading.id = name;
    const link = make("a", name);
    link.href = `#${name}`;
    links.append(link);
    routes.append(heading, ...content);
  };
  for (const name of [...groups.keys()].sort()) add(name, ...groups.get(name));
  const types = Object.entries(description.components.schemas ?? {}).filter(([, schema]) => schema.properties);
  add("types", ...types.flatMap(([name, schema]) => [make("h3", code(name)), fields(schema)]));
}

show().catch((error) => {
  document.getElementById("about").textContent = `The description could not be read: ${error.message}`;
});
