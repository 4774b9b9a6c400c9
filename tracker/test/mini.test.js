/* mini.test.js - the bundle for mini programs, as WeChat and Alipay run it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from './collector.js';
import { until } from './device.js';
import { KINDS, makePhone, startProgram } from './phone.js';

for (const [name, global, make] of KINDS) {
    const withPhone = async work => {
        const collector = await new Collector().start();
        const phone = makePhone();
        const start = () => {
            const souk = startProgram(phone, global, make);
            souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1 });
            return souk;
        };
        try {
            await work({ souk: start(), collector, phone, start });
            assert.deepEqual(collector.broken, []);
        } finally {
            await collector.stop();
        }
    };

    test(`${name}: nothing is kept or sent before the shopper decides, then everything`, () => withPhone(
        async ({ souk, collector, phone }) => {
            phone.pages.push({ route: 'pages/home', options: {} }, { route: 'pages/tea', options: { id: '17' } });
            souk.productViewed({ product_id: '17' });
            assert.equal(await souk.flush(), true);
            assert.deepEqual([phone.kept.size, phone.requests.length], [0, 0]);
            souk.consent.set({ profile: true });
            souk.identify('openid-1');
            souk.page('Tea');
            souk.storeEntered({ store_id: '0042', method: 'qr' });
            assert.equal(await souk.flush(), true);
            assert.deepEqual(collector.events.map(event => event.event || event.type),
                ['Product Viewed', 'Consent Updated', 'identify', 'page', 'Store Entered']);
            const [viewed, , , page, entered] = collector.events;
            assert.deepEqual(viewed.context.page, { url: '/pages/tea?id=17', path: '/pages/tea', search: '?id=17' });
            assert.match(viewed.messageId, /^[0-9a-f]{32}$/);
            assert.equal(page.properties.path, '/pages/tea');
            assert.equal(entered.userId, 'openid-1');
            assert.equal(viewed.context.locale, name === 'WeChat' ? 'zh_CN' : 'zh-Hans');
            assert.equal(viewed.context.screen.width, name === 'WeChat' ? 390 : 360);
            if (name === 'WeChat') assert.deepEqual(viewed.context.campaign, { name: 'spring', source: 'qr' });
            assert.equal(new Set(collector.events.map(event => event.anonymousId)).size, 1);
        }));

    test(`${name}: answers steer it as they do a page`, () => withPhone(async ({ souk, collector }) => {
        const dropped = [];
        souk.on('dropped', ({ events, reason }) => dropped.push([events.length, reason]));
        collector.plan = number => [{ status: 429, retryAfter: 1 }, { status: 400 }][number];
        souk.consent.set({ profile: true });
        await until(() => dropped.length === 1);
        const [first, second] = collector.requests;
        assert.ok(second.at - first.at >= 1000);
        assert.deepEqual(dropped, [[1, 400]]);
        souk.track('A');
        await until(() => collector.events.length === 1);
    }));

    test(`${name}: what was not sent is sent when the program is opened again, and without a network it rests`, () => withPhone(
        async ({ souk, collector, phone, start }) => {
            souk.consent.set({ profile: true });
            await souk.flush();
            phone.network({ isConnected: false, networkType: 'none' });
            for (let i = 0; i < 30; i++) souk.track('A', { i });
            assert.equal(await souk.flush(), false);
            const again = start();
            await until(() => collector.named('A').length === 30);
            assert.equal(await again.flush(), true);
            assert.deepEqual([...phone.kept.keys()].sort(), ['souk.anonymous', 'souk.consent']);
            assert.equal(new Set(collector.events.map(event => event.anonymousId)).size, 1);
            phone.network({ isConnected: true, networkType: 'wifi' });
        }));

    test(`${name}: a program that goes to the background sends at once`, () => withPhone(async ({ souk, collector, phone }) => {
        souk.consent.set({ profile: true });
        await souk.flush();
        const quiet = startProgram(phone, global, make);
        quiet.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 6000 });
        quiet.track('A');
        phone.hide();
        await until(() => collector.named('A').length === 1);
    }));
}

test('Alipay: storage that is full is replaced by memory', async () => {
    const collector = await new Collector().start();
    const phone = makePhone();
    phone.isFull = true;
    const souk = startProgram(phone, ...KINDS[1].slice(1));
    souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1, consent: { profile: true } });
    souk.track('A');
    assert.equal(await souk.flush(), true);
    assert.equal(collector.named('A').length, 1);
    assert.equal(phone.kept.size, 0);
    await collector.stop();
});
