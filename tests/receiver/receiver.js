// receiver.js - receives webhooks as an integrator would: verifies by the standard's own library and by hand, and answers
// as the path says.  Prints {"port":N}, then a JSON line for each request, before it is answered.
//
//   /ok       204                          /twice    500 for the first two tries of a delivery
//   /busy     429, Retry-After: 1, once    /cut      the connection broken, once
//   /held     500 until /release           /gone     410
//   /slow     no answer                    /redirect 302 to /trap
//   /large    200 and 8 MiB                /trickle  200 and a body without an end
//
// PUT /secrets takes the list of whsec_… that it knows.
"use strict";
const http = require("node:http");
const crypto = require("node:crypto");
const { Webhook } = require("standardwebhooks");

let secrets = [];
let released = false;
const tries = new Map();

function byLibrary(secret, body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

// The raw body, a digest, and a comparison in constant time: as receivers of Shopify's hooks do it.
function byHand(secret, body, headers) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const wanted = crypto.createHmac("sha256", key).update(signed).digest();
  return String(headers["webhook-signature"]).split(" ").some((each) => {
    const [version, text] = each.split(",");
    const told = Buffer.from(text || "", "base64");
    return version === "v1" && told.length === wanted.length && crypto.timingSafeEqual(told, wanted);
  });
}

function answer(path, count, response) {
  const once = count === 1;
  const plain = { "/ok": 204, "/gone": 410, "/trap": 200 };
  if (path === "/slow") return;
  if (path === "/cut" && once) return response.destroy();
  if (path === "/busy" && once) response.writeHead(429, { "Retry-After": "1" });
  else if (path === "/redirect") response.writeHead(302, { Location: "/trap" });
  else if (path === "/twice") response.writeHead(count <= 2 ? 500 : 200);
  else if (path === "/held") response.writeHead(released ? 200 : 500);
  else response.writeHead(plain[path] || 200);
  if (path === "/large") return response.end(Buffer.alloc(8 << 20, 120));
  if (path === "/trickle") {
    const drip = setInterval(() => response.write("x"), 50);
    return response.on("close", () => clearInterval(drip));
  }
  response.end();
}

function receive(request, response, body) {
  const path = request.url;
  if (path === "/secrets") secrets = JSON.parse(body);
  if (path === "/release") released = true;
  if (path === "/secrets" || path === "/release") return response.end();
  const id = request.headers["webhook-id"];
  const count = 1 + (tries.get(path + id) || 0);
  tries.set(path + id, count);
  console.log(JSON.stringify({
    path, id, count, method: request.method, headers: request.headers, body: JSON.parse(body),
    library: secrets.map((each) => byLibrary(each, body, request.headers)),
    hand: secrets.map((each) => byHand(each, body, request.headers)),
  }));
  answer(path, count, response);
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => receive(request, response, Buffer.concat(parts).toString()));
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
