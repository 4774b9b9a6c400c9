// tracker_page.js - a shop's page with the tracker's snippet as its README has it, in a real Chromium, from an origin of
// its own.
//
//     node tracker_page.js HOST WRITE_KEY USER
//
// A visitor looks at a product, says yes to `profile`, logs in as USER and orders; prints {"sent":…} when the tracker
// says that nothing waits.
"use strict";
const fs = require("fs"), http = require("http"), path = require("path");
const { openBrowser } = require("./browser");
const [host, writeKey, user] = process.argv.slice(2);
const tracker = path.join(__dirname, "..", "..", "tracker");

const readme = fs.readFileSync(path.join(tracker, "README.md"), "utf8");
const snippet = /```html\n([\s\S]*?)```/.exec(readme)[1].replace("souk_wk_YOURS", writeKey).replace("https://souk.shop.example", host);

async function shop() {
  const server = http.createServer((request, response) => {
    if (request.url === "/souk.js")
      response.writeHead(200, { "Content-Type": "text/javascript" }).end(fs.readFileSync(path.join(tracker, "dist", "souk.js")));
    else
      response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><title>Teas</title>${snippet}`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

(async () => {
  const server = await shop(), browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/teas?utm_source=mail`);
  await page.waitForFunction(() => window.souk && window.souk.flush);
  const left = await page.evaluate(async (who) => {
    const souk = window.souk;
    souk.consent.set({ profile: true, advertise: false });
    souk.productViewed({ product_id: "tea-1", name: "Long Jing", category: "Tea", price: "12.50", currency: "EUR" });
    souk.identify(who, { email: `${who}@shop.example`, phone: "+8613800138000", card: "9001", age: 40 });
    souk.orderCompleted({ order_id: "web-1", total: "25.00", currency: "EUR", products: [{ product_id: "tea-1", price: "12.50", quantity: 2 }] });
    for (let i = 0; i < 50 && !(await souk.flush()); i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    return souk.flush();
  }, user);
  console.log(JSON.stringify({ sent: left }));
  await browser.close();
  server.close();
})().catch((error) => { console.error(error); process.exit(1); });
