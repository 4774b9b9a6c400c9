/* rudder_browser.js - @rudderstack/analytics-js in Chromium.  OPTIONS go to its load(), such as
 * {"queueOptions":{"batch":{"enabled":true}}} or {"useBeacon":true}. */
'use strict';
const { openShop } = require('./browser');
const { argumentsOf, tell } = require('./pace');

async function main() {
    const { host, key, count, options } = argumentsOf();
    const client = '@rudderstack/analytics-js/dist/npm/modern/bundled/esm/index.mjs';
    const shop = await openShop({ client, script: 'page_rudder.js', host, key, options });
    shop.blind = options.useBeacon;
    shop.drops = (status) => status >= 400 && status < 500 && status !== 429;
    await shop.visits('rudder-browser', count);
    tell('rudder-browser', '@rudderstack/analytics-js', count, shop.lost, { said: shop.said, violations: shop.violations });
    await shop.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
