import http from "node:http";
import ms from "ms";
import { page } from "./page.js";

const greeter = process.env.GREETER_URL ?? "http://localhost:8080";

const server = http.createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://web");
  if (pathname === "/health") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ status: "ok", build: process.env.ZR_BUILD_HASH }));
    return;
  }
  const name = encodeURIComponent(searchParams.get("name") ?? "");
  const greeting = await fetch(`${greeter}/greet?name=${name}`).then((answer) => answer.text());
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(page(greeting, ms(Math.round(process.uptime()) * 1000, { long: true })));
});

server.listen(8081, () => console.log(JSON.stringify({ level: "info", msg: "listening", port: 8081 })));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
