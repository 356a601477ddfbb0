// Answers with the names and values of the modules in parts/.
import { readdirSync } from "node:fs";
import http from "node:http";

const folder = new URL("./parts/", import.meta.url);
let all = "";
for (const file of readdirSync(folder).filter((name) => name.endsWith(".js")).sort()) {
  all += `${file.slice(0, -3)}=${(await import(new URL(file, folder))).default}\n`;
}

const server = http.createServer((_, response) => response.end(all));
server.listen(8080);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
