/* consent.test.js - what the shopper decided is what is stored, sent and kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from './collector.js';
import { makeDevice, openTab, until } from './device.js';

/** A page where the shopper was not asked yet. */
async function withPage(work, { device = makeDevice(), tab = {}, options = {} } = {}) {
    const collector = await new Collector().start();
    const open = (more = {}, how = tab) => {
        const page = openTab(device, how);
        page.souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1, serve: ['Order Completed'], ...options, ...more });
        pages.push(page);
        return page;
    };
    const pages = [];
    try {
        const page = open();
        await work({ souk: page.souk, collector, page, device, open });
        assert.deepEqual(collector.broken, []);
    } finally {
        pages.forEach(page => page.close());
        await collector.stop();
    }
}

const names = collector => collector.events.map(event => event.event || event.type);
const kept = device => [...device.kept.keys()].map(key => key.replace(/^souk\.q\..*/, 'souk.q')).sort();

test('without a decision nothing is sent and nothing is kept', () => withPage(async ({ souk, collector, device, page }) => {
    souk.identify('ann');
    souk.track('Product Viewed');
    souk.page();
    assert.equal(souk.consent.get(), null);
    assert.equal(await souk.flush(), true);
    page.hide();
    assert.deepEqual([...device.kept], []);
    assert.deepEqual(collector.requests, []);
    assert.deepEqual(page.dropped, []);
}));

test('a yes sends what waited, with its own times and the decision', () => withPage(async ({ souk, collector, device }) => {
    souk.track('Before');
    souk.identify('ann');
    const asked = Date.now();
    await new Promise(resolve => setTimeout(resolve, 20));
    souk.consent.set({ profile: true, advertise: false });
    await souk.flush();
    assert.deepEqual(names(collector), ['Before', 'identify', 'Consent Updated']);
    assert.ok(Date.parse(collector.events[0].timestamp) <= asked);
    for (const event of collector.events) {
        assert.deepEqual(event.context.consent, { categoryPreferences: { profile: true, advertise: false } });
        assert.equal(event.anonymousId, collector.events[0].anonymousId);
    }
    assert.deepEqual(kept(device), ['souk.anonymous', 'souk.consent', 'souk.user']);
}));

test('a no discards what waited and keeps the answer alone', () => withPage(async ({ souk, collector, device, page }) => {
    souk.track('Before');
    souk.consent.set({ profile: false });
    souk.track('After');
    await souk.flush();
    page.hide();
    assert.deepEqual(collector.requests, []);
    assert.deepEqual(kept(device), ['souk.consent']);
    assert.deepEqual(page.dropped.map(({ events, reason }) => [events[0].event, reason]),
        [['Before', 'consent'], ['After', 'consent']]);
}));

test('only true is a yes', () => withPage(async ({ souk, collector }) => {
    for (const answer of ['yes', 1, {}, null, undefined, 'true']) souk.consent.set({ profile: answer });
    souk.consent.set({ advertise: true });
    souk.track('Refused');
    await souk.flush();
    assert.deepEqual(souk.consent.get(), { profile: false, advertise: true });
    assert.deepEqual(collector.requests, []);
}));

test('a declared order goes out bare, refused or not yet asked', () => withPage(async ({ souk, collector, device }) => {
    souk.orderCompleted({ order_id: 'A-1' });
    souk.consent.set({ profile: false });
    souk.orderCompleted({ order_id: 'A-2' });
    souk.orderRefunded({ order_id: 'A-2' }); // was not declared
    await souk.flush();
    souk.identify('ann');
    await souk.flush();
    souk.orderCompleted({ order_id: 'A-3' });
    await souk.flush();
    assert.deepEqual(collector.events.map(event => event.properties.order_id), ['A-1', 'A-2', 'A-3']);
    const [first, second, third] = collector.events;
    assert.notEqual(first.anonymousId, second.anonymousId);
    assert.deepEqual([third.userId, third.anonymousId], ['ann', undefined]);
    for (const event of collector.events) assert.deepEqual(Object.keys(event.context).sort(), ['consent', 'library']);
    assert.deepEqual(kept(device), ['souk.consent']);
}));

test('a declared order that cannot be sent waits in memory alone', () => withPage(async ({ souk, collector, device, page }) => {
    souk.consent.set({ profile: false });
    collector.plan = number => number === 0 && { status: 503 };
    page.online(false);
    souk.identify('ann');
    souk.orderCompleted({ order_id: 'A-1' });
    assert.deepEqual(kept(device).filter(key => key !== 'souk.consent'), []);
    page.isOnline = true;
    assert.equal(await souk.flush(), false);
    assert.deepEqual(kept(device).filter(key => key !== 'souk.consent'), []);
    await until(() => collector.named('Order Completed').length === 1);
}));

test('a withdrawal reaches the server with the old identity, and that identity is gone', () => withPage(
    async ({ souk, collector, device, page }) => {
        souk.consent.set({ profile: true });
        souk.identify('ann');
        await souk.flush();
        const { anonymousId } = collector.events[0];
        page.online(false);
        souk.track('Never sent');
        souk.consent.set({ profile: false });
        assert.deepEqual(kept(device), ['souk.consent', 'souk.q']); // until it has arrived
        page.online(true);
        await souk.flush();
        assert.deepEqual(names(collector), ['Consent Updated', 'identify', 'Consent Updated']);
        const told = collector.events[2];
        assert.deepEqual([told.anonymousId, told.userId], [anonymousId, 'ann']);
        assert.deepEqual(told.context.consent, { categoryPreferences: { profile: false } });
        assert.deepEqual(kept(device), ['souk.consent']);
        assert.deepEqual(page.dropped.map(({ events, reason }) => [events[0].event, reason]), [['Never sent', 'consent']]);
        souk.consent.set({ profile: true });
        souk.track('Again');
        await souk.flush();
        assert.notEqual(collector.named('Again')[0].anonymousId, anonymousId);
    }));

test('a known user who says no is told to the server without an anonymousId', () => withPage(
    async ({ souk, collector, device }) => {
        souk.identify('ann');
        souk.consent.set({ profile: false, advertise: false });
        await souk.flush();
        assert.deepEqual(names(collector), ['Consent Updated']);
        assert.deepEqual([collector.events[0].userId, collector.events[0].anonymousId], ['ann', undefined]);
        assert.deepEqual(kept(device), ['souk.consent']);
    }));

test('the same decision again is no news, and holds on the next page', () => withPage(
    async ({ souk, collector, open }) => {
        souk.consent.set({ profile: true, advertise: false });
        souk.consent.set({ advertise: false });
        const next = open({ consent: { advertise: false, profile: true } });
        next.souk.track('Next');
        await next.souk.flush();
        await souk.flush();
        assert.deepEqual(names(collector).sort(), ['Consent Updated', 'Next']);
        next.souk.consent.set({ advertise: true });
        await next.souk.flush();
        assert.deepEqual(collector.events[2].context.consent, { categoryPreferences: { profile: true, advertise: true } });
    }));

test('a no in one tab stops what waits in the other', () => withPage(async ({ souk, collector, page, open }) => {
    souk.consent.set({ profile: true });
    await souk.flush();
    const other = open();
    other.isOnline = page.isOnline = false;
    other.souk.track('There');
    souk.consent.set({ profile: false });
    other.souk.track('Later');
    other.online(true);
    page.online(true);
    await other.souk.flush();
    await souk.flush();
    assert.deepEqual(names(collector), ['Consent Updated', 'Consent Updated']);
    assert.equal(other.dropped.length + page.dropped.length, 2);
}));

test('a yes in one tab sends what waits in the other, of one person', () => withPage(async ({ souk, collector, open }) => {
    const other = open();
    other.souk.track('There');
    souk.consent.set({ profile: true });
    await souk.flush();
    await other.souk.flush();
    assert.deepEqual(names(collector).sort(), ['Consent Updated', 'There']);
    assert.equal(collector.events[0].anonymousId, collector.events[1].anonymousId);
}));

test('what waits for a decision is bounded, and what goes is told', () => withPage(async ({ souk, collector, page }) => {
    for (let i = 0; i < 130; i++) souk.track('Waits', { i });
    souk.consent.set({ profile: true });
    await souk.flush();
    assert.deepEqual(collector.named('Waits').map(event => event.properties.i), Array.from({ length: 100 }, (_, i) => i + 30));
    assert.equal(page.dropped.length, 30);
    assert.deepEqual([page.dropped[29].reason, page.dropped[29].total], ['full', 30]);
}));

test('Global Privacy Control refuses advertise and every share, whatever is said', () => withPage(
    async ({ souk, collector, open }) => {
        souk.consent.set({ profile: true, advertise: true, 'share:nestle': true, personalise: true });
        const expected = { profile: true, advertise: false, 'share:nestle': false, personalise: true, share: false };
        assert.deepEqual(souk.consent.get(), expected);
        await souk.flush();
        assert.deepEqual(collector.events[0].context.consent, { categoryPreferences: expected, gpc: true });
        // the signal is off: what was decided under it stays, until she says yes herself
        const later = open({}, { gpc: false });
        assert.deepEqual(later.souk.consent.get(), expected);
        later.souk.consent.set({ advertise: true });
        assert.equal(later.souk.consent.get().advertise, true);
    }, { tab: { gpc: true } }));

test('Global Privacy Control that comes later is told to the server once', () => withPage(
    async ({ souk, collector, open }) => {
        souk.consent.set({ profile: true, advertise: true });
        await souk.flush();
        for (let i = 0; i < 2; i++) {
            const next = open({ gpc: true }); // the server saw Sec-GPC: 1
            await next.souk.flush();
        }
        assert.deepEqual(names(collector), ['Consent Updated', 'Consent Updated']);
        assert.deepEqual(collector.events[1].context.consent,
            { categoryPreferences: { profile: true, advertise: false, share: false }, gpc: true });
    }));

test('an order before any decision says that there is none', () => withPage(async ({ souk, collector }) => {
    souk.orderCompleted({ order_id: 'A-1' });
    await souk.flush();
    assert.deepEqual(collector.events[0].context.consent, { categoryPreferences: {} });
}));

test('a decision is asked for again after 13 months, and who she was is forgotten', () => withPage(async ({ souk, device, open }) => {
    const day_ms = 24 * 3600 * 1000;
    souk.consent.set({ profile: true });
    souk.identify('ann');
    await souk.flush();
    device.kept.set('souk.consent', `${Date.now() - 391 * day_ms}.{"profile":true}`);
    assert.equal(souk.consent.get(), null);
    open();
    assert.deepEqual(kept(device), ['souk.consent']);
    device.kept.set('souk.consent', 'nonsense');
    assert.equal(souk.consent.get(), null);
    device.kept.set('souk.consent', `${Date.now()}.nonsense`);
    assert.equal(souk.consent.get(), null);
}));
