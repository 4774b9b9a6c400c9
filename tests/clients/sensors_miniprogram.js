// sensors_miniprogram.js - sa-sdk-miniprogram, unmodified, on a wx of 30 lines over node's own http.
//
//     node sensors_miniprogram.js SERVER_URL single|batch COUNT USER [OPENID]
//
// Sets the open id, logs USER in, binds a phone and tells COUNT products, as many at a time as the SDK keeps; ends when each
// record was answered, and prints {"records":…, "given_up":[product ids]}: what it sent in all, and what it dropped: this SDK
// takes any answer for a good one, 429 and 500 too, and sends again only where no answer came.
"use strict";
const { request } = require("./browser_shim.js");
const [server_url, way, count, user, openid] = process.argv.slice(2);

const answered = new Set();
const givenUp = new Set();
const wanted = Number(count) + 5; // first visit, login, phone bound, two profiles
let told = 0;

function hear(address, body, status) {
  if (!status) return;
  const form = new URLSearchParams(body || new URL(address).search);
  const records = JSON.parse(Buffer.from(form.get("data_list") || form.get("data"), "base64").toString());
  for (const record of [].concat(records)) {
    const name = JSON.stringify([record.type, record.event, record._track_id, record.properties]);
    answered.add(name);
    if (status !== 200) givenUp.add(record.properties.product_id || record.type);
  }
  if (answered.size < wanted) return;
  console.log(JSON.stringify({ records: answered.size, given_up: [...givenUp] }));
  process.exit(0);
}

const stored = new Map();
const machine = () => ({
  SDKVersion: "3.4.0", version: "8.0.0", brand: "x", model: "m", system: "iOS 15", platform: "ios",
  windowWidth: 375, windowHeight: 600, screenWidth: 375, screenHeight: 667,
});
globalThis.wx = {
  getStorageSync: (key) => stored.get(key),
  setStorageSync: (key, value) => stored.set(key, value),
  getStorage: (o) => { const found = { data: stored.get(o.key) }; o.success?.(found); o.complete?.(found); },
  setStorage: (o) => { stored.set(o.key, o.data); o.success?.(); o.complete?.(); },
  removeStorage: (o) => stored.delete(o.key),
  getSystemInfoSync: machine, getDeviceInfo: machine, getWindowInfo: machine, getAppBaseInfo: machine,
  getSystemInfo: (o) => { o.success?.(machine()); o.complete?.(machine()); },
  getNetworkType: (o) => { o.success?.({ networkType: "wifi" }); o.complete?.({ networkType: "wifi" }); },
  getAccountInfoSync: () => ({ miniProgram: { appId: "wx1" } }),
  getLaunchOptionsSync: () => ({ scene: 1001, path: "pages/index", query: {} }),
  onNetworkStatusChange() {}, onAppShow() {}, onAppHide() {}, canIUse: () => false, login() {},
  request(o) {
    request(o.method || "GET", o.url, o.header || {}, o.data, (error, answer) => {
      hear(o.url, o.data, answer?.statusCode);
      if (error) o.fail?.({ errMsg: String(error) });
      else o.success?.({ statusCode: answer.statusCode });
      o.complete?.();
    });
    return {};
  },
};
globalThis.getCurrentPages = () => [{ route: "pages/index" }];
globalThis.App = globalThis.Page = globalThis.Component = (o) => o;

const sensors = require("sa-sdk-miniprogram");
sensors.setPara({
  name: "sensors", server_url, show_log: false, batch_send: way === "batch" ? { send_timeout: 500, max_length: 6 } : false,
  autoTrack: { appLaunch: false, appShow: false, appHide: false, pageShow: false },
});
if (openid) sensors.setOpenid(openid);
sensors.init();
sensors.login(user);
sensors.bind("$identity_mobile", "+8613800138000");
sensors.setProfile({ email: `${user}@example.com` });
sensors.incrementProfile({ visits: 1 });
setInterval(() => {
  for (; told < Number(count) && told < answered.size + 300; told++)
    sensors.track("Product Viewed", { product_id: `p-${told}`, price: 12.5, name: "绿茶" });
}, 10);
