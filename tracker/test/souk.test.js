/* souk.test.js - the tracker against a real Souk server; what is stored is compared, not what is answered.
 *
 *     SOUK_HOST=http://127.0.0.1:7010 SOUK_WRITE_KEY=souk_wk_… SOUK_TOKEN=souk_… node --test test/souk.test.js
 *
 * The token must read.  Every user is new, so that any server will do. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { Collector } from './collector.js';
import { makeDevice, openTab, randomId, seeded, until } from './device.js';
import { KINDS, makePhone, startProgram } from './phone.js';

const { SOUK_HOST: host, SOUK_WRITE_KEY: writeKey, SOUK_TOKEN: token, CHROMIUM = '/usr/bin/chromium' } = process.env;
const skip = host && writeKey && token ? false : 'no server: set SOUK_HOST, SOUK_WRITE_KEY and SOUK_TOKEN';
const skipBrowser = skip || (existsSync(CHROMIUM) ? false : `no Chromium at ${CHROMIUM}`);

async function get(path) {
    const answer = await fetch(host + path, { headers: { Authorization: `Bearer ${token}` } });
    if (answer.status === 404) return { events: [] }; // a user who is not known yet
    assert.equal(answer.status, 200, path);
    return answer.json();
}

/** Every stored event of a user, the oldest first. */
async function timeline(user) {
    const rows = [];
    let before = '';
    do {
        const page = await get(`/v1/shoppers/user/${user}/timeline?limit=500${before}`);
        rows.push(...page.events);
        before = page.next_before && `&before=${page.next_before}`;
    } while (before);
    return rows.reverse();
}

const newUser = () => 'tracker-' + randomId();

test('each event is stored once, as it was told, through faults and pages that end', { skip }, async () => {
    const collector = await new Collector().start();
    Object.assign(collector, { forward: host, writeKey });
    const pick = seeded(20261126);
    const faults = [{ status: 429 }, { status: 500 }, { status: 503 }, { cut: true }, { stored: true, cut: true }, { status: 413 }];
    collector.plan = () => faults[pick(faults.length * 2)];
    const device = makeDevice();
    const user = newUser();
    const told = new Map();
    const open = () => {
        const page = openTab(device, { patience_ms: 5000 });
        page.souk.load({ writeKey, host: collector.host, flushAfterMs: 5, consent: { profile: true } });
        page.souk.on('dropped', ({ events }) => events.forEach(event => told.delete(event.messageId)));
        page.souk.identify(user);
        return page;
    };
    let page = open();
    for (let i = 0; i < 1000; i++) {
        const messageId = randomId();
        const properties = { i, text: '茶 "\\ \u2028 😀'.repeat(pick(5)), price: '12.50' };
        told.set(messageId, { name: 'Tracked', properties });
        page.souk.track('Tracked', properties, { messageId });
        if (pick(10) === 0) await new Promise(resolve => setTimeout(resolve, pick(5)));
        if (pick(100) === 0) page.hide(), page.close(), page = open();
    }
    await until(() => page.souk.flush(), 'an empty queue', 30000);
    page.close();
    await collector.stop();
    const rows = (await timeline(user)).filter(row => row.type === 'Tracked');
    assert.deepEqual(collector.broken, []);
    assert.equal(rows.length, told.size);
    assert.ok(told.size > 900, String(told.size));
    for (const { event } of rows) assert.deepEqual(event.properties, told.get(event.messageId).properties);
    assert.equal(new Set(rows.map(row => row.event.messageId)).size, rows.length);
});

test('every helper is a word of the vocabulary, and its event is taken', { skip }, async () => {
    const schemas = JSON.stringify(await get('/v1/schemas'));
    const user = newUser();
    const page = openTab(makeDevice(), { patience_ms: 5000 });
    const { souk } = page;
    souk.load({ writeKey, host, consent: { profile: true } });
    souk.identify(user, { email: `${user}@shop.example` });
    const calls = [...readFileSync(new URL('../README.md', import.meta.url), 'utf8').matchAll(/```js\n(souk\.products[^]*?)```/g)];
    new Function('souk', calls[0][1].replace('order A-1', user))(souk);
    assert.equal(await souk.flush(), true);
    page.close();
    const rows = await timeline(user);
    const helpers = Object.keys(souk).filter(name => /[a-z][A-Z]/.test(name));
    const spell = name => name[0].toUpperCase() + name.slice(1).replace(/[A-Z]/g, ' $&');
    for (const name of helpers.map(spell)) {
        assert.ok(schemas.includes(`"${name}"`), `${name} is no event of the vocabulary`);
        assert.ok(rows.some(row => row.type === name), `${name} was not stored`);
    }
    const order = rows.find(row => row.type === 'Order Completed');
    assert.deepEqual([Number(order.amount), order.currency], [25, 'EUR']);
    assert.equal(order.event.messageId, user);
});

for (const [name, global, make] of KINDS) {
    test(`${name}: a mini program's events are stored`, { skip }, async () => {
        const user = newUser();
        const phone = makePhone();
        const souk = startProgram(phone, global, make);
        souk.load({ writeKey, host, consent: { profile: true } });
        souk.identify(user);
        souk.storeEntered({ store_id: '0042', method: 'code' });
        assert.equal(await souk.flush(), true);
        assert.deepEqual((await timeline(user)).map(row => row.type).slice(-2), ['Identify', 'Store Entered']);
    });
}

test('a page in Chromium, of another origin, is stored once although its beacon came first', { skip: skipBrowser }, async () => {
    const site = await new Collector().start();
    const user = newUser();
    const script = readFileSync(new URL('../dist/souk.js', import.meta.url), 'utf8');
    site.files = {
        '/shop': { type: 'text/html', text: '<!doctype html><title>Shop</title><script src="/souk.js"></script>' },
        '/empty': { type: 'text/html', text: '<!doctype html><title>Empty</title>' },
        '/souk.js': { type: 'text/javascript', text: `${script}; souk.load(${JSON.stringify({ writeKey, host, flushAfterMs: 60000 })})` },
    };
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    try {
        const page = await browser.newPage();
        await page.goto(site.host + '/shop');
        await page.evaluate(id => {
            souk.consent.set({ profile: true });
            souk.identify(id);
            souk.productViewed({ product_id: '17' });
        }, user);
        await page.goto(site.host + '/empty'); // the beacon
        const viewed = async () => (await timeline(user)).filter(row => row.type === 'Product Viewed');
        await until(async () => (await viewed()).length === 1);
        await page.goto(site.host + '/shop');
        assert.equal(await page.evaluate(() => souk.flush()), true);
        const [row, ...more] = await viewed();
        assert.equal(more.length, 0);
        assert.equal(row.event.context.page.path, '/shop');
        assert.deepEqual(row.event.context.consent, { categoryPreferences: { profile: true } });
    } finally {
        await browser.close();
        await site.stop();
    }
});
