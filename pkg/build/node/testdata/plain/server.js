import { createServer } from "node:http";
import ms from "ms";

createServer((_, response) => {
  response.end(JSON.stringify({ status: "ok", build: process.env.ZR_BUILD_HASH, minute: ms("1m") }));
}).listen(process.env.PORT ?? 8080);
