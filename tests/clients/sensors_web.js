// sensors_web.js - sa-sdk-javascript, unmodified, in as much of a browser as it touches (browser_shim.js).
//
//     node sensors_web.js SERVER_URL image|ajax|beacon|batch COUNT USER
//
// Views a page, logs USER in, tells a profile and COUNT products, as many at a time as the SDK keeps; ends when each of these
// was answered, and prints {"records":…, "refused":[…], "given_up":[product ids]}: what it sent in all, the answers that no
// page would like, and what it dropped: a record that is sent alone is sent once, a batch until it is answered well.
"use strict";
const { open } = require("./browser_shim.js");
const [server_url, way, count, user] = process.argv.slice(2);

const answered = new Set();
const givenUp = new Set();
const refused = [];
const wanted = Number(count) + 5; // page view, first visit, login, phone bound, profile
let told = 0;

open("https://shop.example/tea?utm_source=mail", (seen) => {
  const form = new URLSearchParams(seen.body || new URL(seen.url).search);
  const records = JSON.parse(Buffer.from(form.get("data_list") || form.get("data"), "base64").toString());
  const isGood = seen.status === 200 && (seen.way !== "image" || seen.isImage);
  if (!isGood) refused.push([seen.way, seen.status]);
  if (!isGood && form.has("data_list")) return; // the SDK sends it again
  for (const record of [].concat(records)) {
    answered.add(JSON.stringify([record.type, record.event, record._track_id, record.properties]));
    if (!isGood) givenUp.add(record.properties.product_id || record.type);
  }
  if (answered.size < wanted) return;
  console.log(JSON.stringify({ records: answered.size, refused, given_up: [...givenUp] }));
  process.exit(0);
});

const sensors = require("sa-sdk-javascript");
sensors.init({
  server_url, send_type: way === "batch" ? "ajax" : way, batch_send: way === "batch" ? { send_interval: 500 } : false,
  show_log: false, is_track_single_page: false, heatmap: { clickmap: "not_collect", scroll_notice_map: "not_collect" },
});
sensors.quick("autoTrack");
sensors.login(user);
sensors.bind("$identity_mobile", "+8613800138000");
sensors.setProfile({ email: `${user}@example.com` });
setInterval(() => {
  for (; told < Number(count) && told < answered.size + 150; told++)
    sensors.track("Product Viewed", { product_id: `p-${told}`, price: 12.5, name: "绿茶" });
}, 10);
