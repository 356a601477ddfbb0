const http = require("node:http");
const terms = require("./terms");

const server = http.createServer((_, response) => response.end(JSON.stringify(terms())));
server.listen(50051, () => console.log("listening on 50051"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
