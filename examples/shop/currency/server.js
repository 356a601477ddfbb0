import http from "node:http";
import { rate } from "./rates.js";

const server = http.createServer((_, response) => response.end(JSON.stringify(rate)));
server.listen(7000, () => console.log("listening on 7000"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
