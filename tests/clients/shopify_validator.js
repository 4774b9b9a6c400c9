// shopify_validator.js - does Shopify's own library take what our tests sign?  Reads JSON lines {secret, topic, body, hmac}
// from standard input and answers each with a line: true, or the validator's reason.
"use strict";
require("@shopify/shopify-api/adapters/node");
const { shopifyApi, ApiVersion } = require("@shopify/shopify-api");
const readline = require("readline");

async function judge({ secret, topic, body, hmac }) {
  const shopify = shopifyApi({
    apiKey: "key", apiSecretKey: secret, scopes: [], hostName: "souk.example", hostScheme: "https", isEmbeddedApp: false,
    apiVersion: Object.values(ApiVersion).pop(), logger: { log: () => undefined },
  });
  const headers = {
    "x-shopify-hmac-sha256": hmac, "x-shopify-topic": topic, "x-shopify-shop-domain": "a.myshopify.com",
    "x-shopify-api-version": "2026-01", "x-shopify-webhook-id": "w-1",
  };
  const request = { method: "POST", url: "/v1/hooks/shopify/web", headers };
  const verdict = await shopify.webhooks.validate({ rawBody: body, rawRequest: request });
  return verdict.valid ? true : verdict.reason;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await judge(JSON.parse(line))));
})();
