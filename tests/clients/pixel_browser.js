/* pixel_browser.js - no client at all: the images of a page or a mail, which are events.  Tells how many of them the
 * browser could show ("images"); what fails is gone. */
'use strict';
const { openShop } = require('./browser');
const { eventsOf } = require('./events');
const { argumentsOf } = require('./pace');

const FLAT = ['Product Viewed', 'Product Added', undefined]; // a query has no lists; undefined: a page

async function main() {
    const { host, key, count, options } = argumentsOf();
    const shop = await openShop({ client: '', script: 'page_pixel.js', host, key, options });
    const events = eventsOf('pixel-browser', count).filter(({ type, event }) => type !== 'identify' && FLAT.includes(event));
    const page = await shop.browser.newPage();
    await page.goto(shop.origin + '/strict');
    const shown = await page.evaluate((all) => Promise.all(all.map(window.shop.say)), events);
    console.log(JSON.stringify({ sent: events.map(({ n }) => n), images: shown.filter(Boolean).length }));
    await shop.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
