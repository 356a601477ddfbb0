// Everything that opens over a screen or within it, looked at with axe-core in light
// and dark, in a real browser.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessibilityViolations } from "./support/browser.mjs";
import { someConfiguration } from "./support/configuration.mjs";
import { attachedRun, save } from "./support/run-events.mjs";
import { scripted } from "./support/scripted.mjs";
import { chooseFile, someSnapshot } from "./support/snapshot.mjs";
import { healthyStack } from "./support/upstream.mjs";

const project = fileURLToPath(new URL("..", import.meta.url));

/** How a source file makes something that opens: each is one more of those below. */
const OPENS =
  /<Dialog\b|<dialog\b|<details\b|<summary\b|\bpopover\b|role="(?:dialog|menu|alertdialog)"/g;

const button = (name) => (page) => page.getByRole("button", { name, exact: true }).first().click();
const action = (name) => [`action-dialog`, button(name)];

/** The actions of a service, of a Job and of a zr dev, which one dialog asks about. */
const actions = [
  ["/", [`action-dialog`, button("Actions of redis")]],
  ...["Restart", "Scale", "Stop", "Start"].map((name) => ["/services/api", action(name)]),
  ["/services/seed", action("Run again")],
  ["/services/api", [`action-dialog`, button("Roll back to revision 2")]],
  ["/reloads", action("Apply")],
  ["/reloads", action("Rebuild")],
  ["/reloads", action("Restart process")],
];

/** What each source file has that opens: on which screen, what is there then, and what opens it. */
const opened = {
  "components/actions/action-dialog.tsx": actions,
  "components/frame/palette.tsx": [
    ["/", ["palette", button(/^Go to/)]],
    ["/logs", ["palette", (page) => page.keyboard.press("Control+k")]],
  ],
  "components/frame/help.tsx": [["/", ["help", button("Keyboard shortcuts")]]],
  "app/configuration/_components/secret-dialog.tsx": [
    ["/configuration?tab=secrets", ["secret-dialog", button("Set API_TOKEN")]],
    ["/configuration?tab=secrets", ["secret-dialog", button("Add a secret")]],
  ],
  "app/configuration/_components/restore-dialog.tsx": [
    ["/configuration?tab=revisions&revision=11", ["restore-dialog", button("Go back to it")]],
  ],
  "app/reloads/_components/editor-choice.tsx": [
    [
      "/reloads",
      [
        "editor-pattern",
        (page) => page.getByLabel("Files open in").selectOption("Another editor…"),
      ],
    ],
  ],
  "app/logs/_components/filters.tsx": [
    [
      "/logs",
      ["services-of-lines", (page) => page.locator("summary", { hasText: "All services" }).click()],
    ],
    [
      "/logs",
      ["times-of-lines", (page) => page.locator("summary", { hasText: "All times" }).click()],
    ],
  ],
  "app/snapshot/[[...place]]/_components/opened-snapshot.tsx": [
    [
      "/snapshot",
      [
        "could-not",
        async (page) => {
          await chooseFile(page, someSnapshot());
          await page.getByText("1 part could not be saved").click();
        },
      ],
    ],
  ],
  "app/services/[name]/_components/details.tsx": [
    ["/services/api", ["variables", (page) => page.getByText("2 variables").click()]],
  ],
};

/** Every source file that makes something that opens; Dialog itself is what the others use. */
function openingFiles() {
  return ["app", "components"]
    .flatMap((folder) =>
      readdirSync(join(project, folder), { recursive: true, withFileTypes: true }),
    )
    .filter((entry) => entry.isFile() && /(?<!\.test)\.tsx$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, "utf8").match(OPENS))
    .map((file) => relative(project, file))
    .filter((file) => file !== "components/dialog.tsx")
    .sort();
}

describe("what opens", () => {
  const run = scripted({ loggedIn: true });

  function fill() {
    const at = new Date().toISOString();
    const images = ["localhost/zr/api@sha256:0be3914d55af0be3914d55af"];
    const stack = healthyStack().map((one) => (one.name === "api" ? { ...one, dev: true } : one));
    Object.assign(run.said, {
      // So many that those of the logs are a list that opens.
      services: [
        ...stack,
        ...["seed", "mail", "cart", "search", "web"].map((name) => ({
          ...stack[0],
          name,
          kind: name === "seed" ? "Job" : "Deployment",
        })),
      ],
      configuration: someConfiguration(),
      lines: [{ id: "1", time: at, service: "redis", level: "info", message: "ready" }],
      attached: [attachedRun()],
      runEvents: [save()],
      revisions: [
        { revision: 3, current: true, images, createdAt: at },
        { revision: 2, current: false, images, createdAt: at },
      ],
    });
  }

  async function isAccessible(what) {
    for (const colorScheme of ["light", "dark"]) {
      await run.page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityViolations(run.page), [], `${what}, ${colorScheme}`);
    }
  }

  test("each file that has something which opens is listed here", () => {
    assert.deepEqual(openingFiles(), Object.keys(opened).sort());
  });

  for (const [file, ways] of Object.entries(opened)) {
    test(`${file}: whatever it opens is accessible, light and dark`, async () => {
      fill();
      const { page } = run;
      for (const [path, [shown, opens]] of ways) {
        await run.show(path);
        await opens(page);
        await page.waitForSelector(`[data-testid=${shown}]`);
        await isAccessible(`${path} ${shown}`);
      }
    });
  }

  test("who may not act sees why in the dialog, accessible too", async () => {
    fill();
    run.said.role = "viewer";
    await run.show("/services/api");
    await button("Stop")(run.page);
    await run.page.waitForSelector("[data-testid=action-dialog] [data-testid=why-not]");
    await isAccessible("a viewer");
  });

  test("the navigation and the environment switch of a narrow screen are accessible", async () => {
    fill();
    run.said.environments = { dev: run.said.services, "pr-1": healthyStack() };
    await run.page.setViewportSize({ width: 360, height: 740 });
    await run.show();
    await run.page.getByRole("combobox", { name: "Environment" }).waitFor();
    await run.page.getByRole("link", { name: "Activity" }).focus();
    await isAccessible("360 px");
  });

  test("the keys that the text of the settings proposes are accessible", async () => {
    fill();
    const { keyboard } = run.page;
    await run.show("/configuration?view=text");
    await run.page.getByRole("textbox", { name: "Settings as YAML" }).click();
    for (const key of ["Control+Home", "Shift+ArrowDown", "Delete"]) {
      await keyboard.press(key);
    }
    await run.page.waitForSelector(".cm-deletedChunk");
    await keyboard.type("GR");
    await run.page.waitForSelector(".cm-tooltip-autocomplete");
    await isAccessible("proposals");
  });
});
