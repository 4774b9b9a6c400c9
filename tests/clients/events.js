/* events.js - what each client sends.  Event n of a client follows from its name, n and the count alone, so that
 * who sends and who reads the stored rows agree without a list between them.
 *
 *     node tests/clients/events.js segment-node 1000      one line of JSON for each event, to compare with
 *     const { eventsOf } = require('./events');
 *
 * Up to 100 shoppers per client, each with the same story, in rounds of ten: she looks at a page and at products
 * before anyone knows her, says who she is, fills a basket, pays, and sends something back.  In a browser the first
 * three events are anonymous; on a server a user stands on each.  Shopper s has the events n = s, s + shoppers, … */
'use strict';

const KNOWN_FROM = 3; // the step of her story in which she says who she is

const shoppersOf = (count) => Math.max(1, Math.min(100, Math.floor(count / 10)));

const product = (n, i) => ({
    product_id: `P-${(n * 31 + i * 7) % 500}`,
    name: `Käse № ${(n + i) % 90} 🧀`,
    price: (((n + 1) * 7919 + i * 104729) % 99991) / 100,
    quantity: 1 + ((n + i) % 4),
});

const basket = (n) => Array.from({ length: 1 + (n % 3) }, (_, i) => product(n, i));

/* In hundredths, as integers, so that the sum is what a till would print. */
const worth = (products) => products.reduce((sum, p) => sum + Math.round(p.price * 100) * p.quantity, 0) / 100;

function track(event, n, properties) {
    return { type: 'track', event, properties: { n, ...properties } };
}

function money(event, n, order) {
    const products = basket(n);
    return track(event, n, { order_id: order, currency: ['EUR', 'CNY', 'USD'][n % 3], revenue: worth(products), products });
}

function stepOf(client, user, n, step) {
    switch (step % 10) {
    case 0: case 5: return { type: 'page', name: 'Product', properties: { n, shelf: `S${n % 40}` } };
    case 1: return track('Product Viewed', n, { ...product(n, 0), currency: 'EUR' });
    case 2: return track('Product List Viewed', n, { list_id: `L${n % 9}`, products: basket(n) });
    case 3: return { type: 'identify', traits: { n, name: `Ana ${n}`, email: `${user}@example.com` } };
    case 4: return track('Product Added', n, product(n, 1));
    case 6: return money('Checkout Started', n, `${client}-o-${n}`);
    case 7: return money('Order Completed', n, `${client}-o-${n}`);
    case 8: return track('Shelf Photographed', n, { deep: { list: [1, 2.5, null, true, 'ü"\\'], none: {} }, text: '' });
    default: return money('Order Refunded', n, `${client}-o-${n}`);
    }
}

/* The story of one shopper, in order. */
function storyOf(client, count, shopper) {
    const user = `${client}-${shopper}`, shoppers = shoppersOf(count), story = [];
    for (let n = shopper; n < count; n += shoppers) {
        const step = (n - shopper) / shoppers;
        story.push({ n, user, known: step >= KNOWN_FROM, ...stepOf(client, user, n, step) });
    }
    return story;
}

function eventsOf(client, count) {
    const stories = Array.from({ length: shoppersOf(count) }, (_, shopper) => storyOf(client, count, shopper));
    return stories.flat().sort((a, b) => a.n - b.n);
}

module.exports = { eventsOf, storyOf, shoppersOf };

if (require.main === module)
    for (const event of eventsOf(process.argv[2], Number(process.argv[3])))
        console.log(JSON.stringify(event));
