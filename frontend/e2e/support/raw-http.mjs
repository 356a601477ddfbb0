// Requests that fetch and browsers do not make.

import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

/** Asks with any method, and under any name. */
export async function ask(url, { method = "GET", host }) {
  const asked = request(url, { method, headers: host ? { host } : {}, agent: false });
  asked.end();
  const [response] = await once(asked, "response");
  return { status: response.statusCode, text: await text(response) };
}

/** Begins a request, and returns what the server says before it closes the connection. */
export async function beginHeaders(url) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET / HTTP/1.1\r\nHost: ${hostname}\r\n`);
  return text(socket);
}
