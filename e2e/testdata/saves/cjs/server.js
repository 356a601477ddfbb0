// Answers with the names and values of the modules in parts/.
const { readdirSync } = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const folder = path.join(__dirname, "parts");
let all = "";
for (const file of readdirSync(folder).filter((name) => name.endsWith(".js")).sort()) {
  all += `${file.slice(0, -3)}=${require(path.join(folder, file))}\n`;
}

const server = http.createServer((_, response) => response.end(all));
server.listen(8080);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
