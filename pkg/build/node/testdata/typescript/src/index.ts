import { text } from "./text";

declare const require: (name: string) => any;
declare const process: any;

const server = require("node:http").createServer((_: any, response: any) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ build: process.env.ZR_BUILD_HASH, text: text() }));
});
server.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
