// Makes the animated picture of docs/screens: a real dashboard, while a service of a project
// that runs breaks, and is mended.
//
//   BASE_URL  where the dashboard of its environment is
//   KUBECTL   kubectl on its cluster, on which examples/hello runs
//   ZR        zr on it

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import upng from "@pdf-lib/upng";
import { launch, logIn, open, showsState, takenOver } from "./support/browser.mjs";
import { kubectl, zr } from "./support/commands.mjs";

/** As a module of Node.js it has what it exports below another name. */
const { default: png } = upng;

const { BASE_URL } = process.env;
const TIMEOUT_MS = 180_000;
const SIZE = { width: 1000, height: 560 };

/** Fewer than this make the text uneven. */
const COLORS = 256;

const file = fileURLToPath(new URL("../../docs/screens/breaks-and-heals.png", import.meta.url));

/** What was seen, as RGBA, and for how long each is shown, in milliseconds. */
const frames = [];
const shownFor = [];

async function see(page, ms) {
  await page.waitForLoadState("networkidle");
  const image = png.decode(await page.screenshot({ animations: "disabled" }));
  frames.push(png.toRGBA8(image)[0]);
  shownFor.push(ms);
}

const inHello = (...args) => kubectl("-n", "hello", ...args);
const withImage = (image) => inHello("set", "image", "deployment/greeter", `greeter=${image}`);

const browser = await launch();
try {
  const context = await browser.newContext({ colorScheme: "light", viewport: SIZE });
  context.setDefaultTimeout(TIMEOUT_MS);
  await logIn(context, await zr("dashboard"), TIMEOUT_MS);
  const page = await context.newPage();
  const go = async (path, shown) => {
    await open(page, new URL(path, BASE_URL).href);
    await takenOver(page);
    await page.waitForSelector(shown);
  };
  const image = await inHello(
    "get",
    "deployment/greeter",
    "-o",
    "jsonpath={.spec.template.spec.containers[0].image}",
  );
  await go("/", "[data-testid=service-web][data-state=healthy]");
  await see(page, 2_000);
  await withImage("localhost/greeter:of-yesterday");
  await showsState(page, "greeter", "unhealthy", TIMEOUT_MS);
  await see(page, 3_500);
  await page.getByRole("button", { name: "Graph" }).click();
  await page.waitForSelector("[data-testid=node-greeter][data-state=unhealthy]");
  await see(page, 2_500);
  await go("/services/greeter", "[data-testid=events]");
  await see(page, 3_000);
  await withImage(image);
  await page.waitForSelector("[data-testid=detail][data-state=healthy]");
  await see(page, 2_000);
  await go("/uptime?window=1h", "[data-testid=outages] [data-end=healthy]");
  await see(page, 3_000);
  await go("/", "[data-testid=service-greeter][data-state=healthy]");
  await see(page, 2_500);
  const { width, height } = SIZE;
  await writeFile(file, Buffer.from(png.encode(frames, width, height, COLORS, shownFor)));
} finally {
  await browser.close();
}
