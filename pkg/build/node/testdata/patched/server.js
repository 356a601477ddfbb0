const http = require("node:http");
const ms = require("ms");

const server = http.createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ build: process.env.ZR_BUILD_HASH, text: ms(60000) }));
});
server.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
