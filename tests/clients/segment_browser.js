/* segment_browser.js - @segment/analytics-next in Chromium.  OPTIONS go to its integration 'Segment.io', such as
 * {"deliveryStrategy":{"strategy":"batching","config":{"size":10,"timeout":500}}}. */
'use strict';
const { openShop } = require('./browser');
const { argumentsOf, tell } = require('./pace');

const RETRIED = [0, 408, 410, 429, 460]; // and 5xx but for these:
const DROPPED = [501, 505, 511];

async function main() {
    const { host, key, count, options } = argumentsOf();
    const client = '@segment/analytics-next/dist/umd/index.js';
    const shop = await openShop({ client, script: 'page_segment.js', host, key, options });
    const batching = options.deliveryStrategy && options.deliveryStrategy.strategy === 'batching';
    shop.drops = (status) => status >= 400 && !RETRIED.includes(status) && (status < 500 || DROPPED.includes(status));
    shop.turns = !batching; // what a batch has waiting when the page goes is sent once, and not kept
    await shop.visits('segment-browser', count);
    tell('segment-browser', '@segment/analytics-next', count, shop.lost, { said: shop.said, violations: shop.violations });
    await shop.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
