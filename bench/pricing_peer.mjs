// pricing_peer.mjs - the peer of `souk bench pricing`: json-rules-engine finds which offers meet a basket, and the
// arithmetic of pricing.h (line offers on units, then basket offers) is done here.
//
//     node pricing_peer.mjs FILE         {"offers": […], "baskets": [[{product, tags, units, price}]]}, amounts in cents
//
// Prints CPU seconds, the sum of all totals, and the version.  Each offer is a rule, as its users write them: does the
// basket have any of these products or tags?
import { readFileSync } from 'node:fs';
import { Engine } from 'json-rules-engine';

const { offers, baskets } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const cents = (amount) => Math.round((amount ?? 0) * 100);

function halfEven(amount, percent) { // exact: a cent times a millionth fits a double
    const product = amount * Math.round(percent * 10000), down = Math.floor(product / 1e6), rest = product % 1e6;
    return down + (rest > 5e5 || (rest === 5e5 && down % 2) ? 1 : 0);
}

// Largest remainder over lines, the lower product first where fractions are equal.
function spread(amount, lines) {
    const sum = lines.reduce((all, line) => all + line.left, 0);
    const parts = lines.map((line) => Math.floor(amount * line.left / sum));
    const rests = lines.map((line, i) => ({ i, rest: (amount * line.left) % sum }));
    let over = amount - parts.reduce((all, part) => all + part, 0);
    rests.sort((a, b) => b.rest - a.rest || a.i - b.i);
    for (const { i } of rests.slice(0, over)) parts[i]++;
    lines.forEach((line, i) => { line.left -= parts[i]; });
}

// Units of a line cost the same but for a cent: what is above the floor stands first.
function eachUnit(line, off) {
    const each = Math.floor(line.left / line.units), more = line.left % line.units;
    line.left -= more * off(each + 1) + (line.units - more) * off(each);
}

function hold(offer, lines) {
    const on = offer.on ?? {}, any = !on.products && !on.tags;
    const mine = lines.filter((line) => line.left && (any || on.products?.includes(line.product) ||
        line.tags.some((tag) => on.tags?.includes(tag))));
    const amount = cents(offer.amount);
    const sum = mine.reduce((all, line) => all + line.left, 0);
    if (!sum) return;
    switch (offer.kind) {
    case 'amount_off': mine.forEach((line) => eachUnit(line, (price) => Math.min(price, amount))); break;
    case 'fixed_price': mine.forEach((line) => eachUnit(line, (price) => Math.max(0, price - amount))); break;
    case 'percent_off': spread(halfEven(sum, offer.percent), mine); break;
    case 'basket_percent': if (offer.reached) spread(halfEven(sum, offer.percent), mine); break;
    case 'basket_amount': if (offer.reached) spread(Math.min(amount, sum), mine); break;
    }
}

function price(lines, held) {
    held.sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0) || a.id - b.id);
    const isBasket = (offer) => offer.kind.startsWith('basket');
    held.filter((offer) => !isBasket(offer)).forEach((offer) => hold(offer, lines));
    const subtotal = lines.reduce((all, line) => all + line.left, 0);
    held.filter(isBasket).forEach((offer) =>
        hold({ ...offer, reached: subtotal >= cents(offer.at_least?.amount) }, lines));
    return lines.reduce((all, line) => all + line.left, 0);
}

const engine = new Engine();
engine.addOperator('hasAnyOf', (have, wanted) => wanted.some((name) => have.has(name)));
for (const offer of offers) {
    const any = [];
    if (offer.on?.products) any.push({ fact: 'products', operator: 'hasAnyOf', value: offer.on.products });
    if (offer.on?.tags) any.push({ fact: 'tags', operator: 'hasAnyOf', value: offer.on.tags });
    if (!any.length) any.push({ fact: 'lines', operator: 'greaterThan', value: 0 });
    engine.addRule({ conditions: { any }, event: { type: 'offer', params: { offer } } });
}

async function all(list) {
    let sum = 0;
    for (const basket of list) {
        const lines = basket.map((line) => ({ ...line, left: line.units * line.price }));
        lines.sort((a, b) => a.product - b.product);
        const { events } = await engine.run({
            products: new Set(lines.map((line) => line.product)),
            tags: new Set(lines.flatMap((line) => line.tags)),
            lines: lines.length,
        });
        sum += price(lines, events.map((event) => event.params.offer));
    }
    return sum;
}

await all(baskets.slice(0, 5));
const before = process.cpuUsage();
const sum = await all(baskets);
const used = process.cpuUsage(before);
const { version } = JSON.parse(readFileSync(new URL('node_modules/json-rules-engine/package.json', import.meta.url)));
console.log((used.user + used.system) / 1e6, sum, version);
