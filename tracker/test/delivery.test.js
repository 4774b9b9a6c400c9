/* delivery.test.js - every event that was not reported as dropped is stored at least once, whatever the
 * server, the network and the tabs do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from './collector.js';
import { makeDevice, openTab, randomId, seeded, until } from './device.js';

/** A collector and pages whose shopper said yes before. */
async function withShop(work, { device = makeDevice(), tab = {} } = {}) {
    const collector = await new Collector().start();
    const pages = [];
    device.kept.set('souk.consent', `${Date.now()}.{"profile":true}`);
    const open = (options = {}, how = {}) => {
        const page = openTab(device, { ...tab, ...how });
        page.souk.load({ writeKey: 'wk', host: collector.host + '/', flushAfterMs: 1, ...options });
        pages.push(page);
        return page;
    };
    try {
        await work({ collector, open, device });
        assert.deepEqual(collector.broken, []);
    } finally {
        pages.forEach(page => page.close());
        await collector.stop();
    }
}

const waiting = device => [...device.kept.keys()].filter(key => key.startsWith('souk.q.')).length;
const pauseOf = device => JSON.parse(device.kept.get('souk.pause'));

/** What a collector lacks of the messages that nobody reported as dropped. */
function lost(collector, messages, pages) {
    const stored = new Set(collector.events.map(event => event.messageId));
    const dropped = new Set(pages.flatMap(page => page.dropped.flatMap(({ events }) => events.map(event => event.messageId))));
    return messages.filter(id => !stored.has(id) && !dropped.has(id));
}

/* ---- answers ---- */

test('429 and 503 with Retry-After are waited for, by all tabs and the next page', () => withShop(
    async ({ collector, open, device }) => {
        collector.plan = number => [{ status: 429, retryAfter: 1 }, { status: 503, retryAfter: 1 }][number];
        const page = open();
        page.souk.track('A');
        await until(() => collector.requests.length === 1);
        await until(() => device.kept.has('souk.pause'));
        assert.equal(await open().souk.flush(), false); // the next page tries not at all
        assert.equal(collector.requests.length, 1);
        await until(() => waiting(device) === 0);
        const at = collector.requests.map(request => request.at);
        assert.equal(at.length, 3);
        assert.ok(at[1] - at[0] >= 1000 && at[2] - at[1] >= 1000, String(at));
        assert.equal(device.kept.has('souk.pause'), false);
    }));

test('500, 502, 408, 403 and a redirect are tried again with the same messageId', () => withShop(
    async ({ collector, open }) => {
        collector.plan = number => [500, 502, 408, 403, 302].map(status => ({ status }))[number];
        const page = open();
        page.souk.track('A', {}, { messageId: 'a' });
        await until(() => collector.times('a') === 1);
        assert.equal(collector.requests.length, 6);
        assert.deepEqual(page.dropped, []);
        assert.deepEqual(page.errors.map(error => error.status), [500, 502, 408, 403, 0]);
    }));

test('400, 401 and 404 drop for ever and say which events', () => withShop(async ({ collector, open }) => {
    const page = open();
    for (const status of [400, 401, 404]) {
        collector.plan = () => ({ status });
        page.souk.track(`Dropped by ${status}`);
        assert.equal(await page.souk.flush(), true);
    }
    collector.plan = () => ({});
    page.souk.track('Goes on');
    await page.souk.flush();
    assert.deepEqual(page.dropped.map(({ events, reason }) => [events[0].event, reason]),
        [['Dropped by 400', 400], ['Dropped by 401', 401], ['Dropped by 404', 404]]);
    assert.deepEqual(collector.events.map(event => event.event), ['Goes on']);
    assert.equal(collector.requests.length, 4);
}));

test('413 halves the batch until it fits; one event that is too large alone is dropped', () => withShop(
    async ({ collector, open }) => {
        collector.most_bytes = 3000;
        const page = open({ flushAfterMs: 1000, flushAt: 1000 });
        for (let i = 0; i < 30; i++) page.souk.track('Small', { i });
        page.souk.track('Large', { text: 'x'.repeat(4000) });
        page.souk.track('Small', { i: 30 });
        assert.equal(await page.souk.flush(), true);
        assert.deepEqual(collector.named('Small').map(event => event.properties.i), Array.from({ length: 31 }, (_, i) => i));
        assert.deepEqual(page.dropped.map(({ events, reason }) => [events.length, events[0].event, reason]), [[1, 'Large', 413]]);
        assert.ok(collector.requests.length < 20, String(collector.requests.length));
    }));

test('pauses double from 1 s to 60 s, anywhere between nothing and that', () => withShop(
    async ({ collector, open, device }) => {
        collector.plan = () => ({ status: 500 });
        const pauses = async chance => {
            const page = open({ flushAfterMs: 100000 }, { chance: () => chance });
            page.souk.track('A');
            const found = [];
            for (let failures = 1; failures <= 8; failures++) {
                const before = Date.now();
                await page.souk.flush();
                const pause = pauseOf(device);
                assert.equal(pause.failures, failures);
                found.push(Math.round((pause.until - before) / 1000));
                device.kept.set('souk.pause', JSON.stringify({ ...pause, until: 0 }));
            }
            page.close();
            device.kept.delete('souk.pause');
            return found;
        };
        assert.deepEqual(await pauses(1), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert.deepEqual(await pauses(0.5), [1, 1, 2, 4, 8, 16, 30, 30]);
    }));

test('a pause of a clock that was set back holds nobody up', () => withShop(async ({ collector, open, device }) => {
    device.kept.set('souk.pause', JSON.stringify({ until: Date.now() + 1e10, failures: 1, status: 500 }));
    const page = open();
    page.souk.track('A');
    assert.equal(await page.souk.flush(), true);
    assert.equal(collector.events.length, 1);
}));

test('no answer and a lost answer are tried again', () => withShop(async ({ collector, open }) => {
    collector.plan = number => [{ hang: true }, { cut: true }, { stored: true, cut: true }, { stored: true, hang: true }][number];
    const page = open({}, { patience_ms: 300 });
    page.souk.track('A', {}, { messageId: 'a' });
    await until(() => page.sent.length === 1);
    assert.ok(collector.times('a') >= 3); // which the server makes one of
}));

test('nothing is tried without a network, and all of it when that is back', () => withShop(async ({ collector, open }) => {
    const page = open();
    page.online(false);
    page.souk.track('A');
    assert.equal(await page.souk.flush(), false);
    assert.equal(collector.requests.length, 0);
    page.online(true);
    await until(() => collector.events.length === 1);
}));

test('a pause that the lost network caused ends when it is back', () => withShop(async ({ collector, open, device }) => {
    const page = open({}, { chance: () => 1 });
    await collector.stop();
    for (let failures = 1; failures < 8; failures++) {
        page.souk.track('A');
        await page.souk.flush();
        device.kept.set('souk.pause', JSON.stringify({ ...pauseOf(device), until: Date.now() + 60000 }));
    }
    await collector.start();
    page.online(true);
    await until(() => collector.events.length === 7);
}));

/* ---- bounds ---- */

test('a batch has at most 100 events and 400 KB', () => withShop(async ({ collector, open }) => {
    const page = open({ flushAfterMs: 100000, flushAt: 100000 });
    for (let i = 0; i < 250; i++) page.souk.track('Small', { i });
    for (let i = 0; i < 40; i++) page.souk.track('Large', { text: '茶'.repeat(10000) });
    await page.souk.flush();
    assert.deepEqual(page.dropped, []);
    assert.equal(collector.events.length, 290);
    const counts = collector.requests.map(request => request.count);
    assert.deepEqual(counts.slice(0, 2), [100, 100]);
    assert.ok(counts.length > 5, String(counts));
    assert.ok(Math.max(...collector.requests.map(request => request.bytes)) > 350000);
}));

test('a batch and a beacon are filled up to their bytes and not above', () => withShop(async ({ collector, open, device }) => {
    for (let pad = 0; pad < 40; pad++) {
        const page = open({ flushAfterMs: 6000, flushAt: 100000 });
        for (let i = 0; i < 99; i++) page.souk.track('A', { text: '茶'.repeat(120) + 'x'.repeat(pad * 7) });
        page.hide();
        page.close();
        for (const key of device.kept.keys()) if (key.startsWith('souk.q.')) device.kept.delete(key);
    }
    await until(() => collector.requests.length === 40);
    const bytes = collector.requests.map(request => request.bytes);
    assert.ok(Math.max(...bytes) > 59900 && Math.min(...bytes) > 58500, String(bytes));
}));

test('twenty events go at once, fewer wait for others', () => withShop(async ({ collector, open }) => {
    const page = open({ flushAfterMs: 100000 });
    for (let i = 0; i < 19; i++) page.souk.track('A');
    await new Promise(resolve => setTimeout(resolve, 50));
    assert.equal(collector.requests.length, 0);
    page.souk.track('A');
    await until(() => collector.events.length === 20);
    assert.equal(collector.requests.length, 1);
}));

test('the queue holds 1,000 events; the oldest go first and are reported', () => withShop(
    async ({ collector, open, device }) => {
        const page = open();
        page.online(false);
        for (let i = 0; i < 1010; i++) page.souk.track('A', { i });
        assert.equal(waiting(device), 1000);
        assert.deepEqual(page.dropped.flatMap(({ events }) => events.map(event => event.properties.i)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert.deepEqual([page.dropped[9].reason, page.dropped[9].total], ['full', 10]);
        page.online(true);
        await until(() => waiting(device) === 0);
        assert.equal(collector.events.length, 1000);
    }));

test('the queue holds 2 MB', () => withShop(async ({ open, device }) => {
    const page = open();
    page.online(false);
    for (let i = 0; i < 80; i++) page.souk.track('A', { i, text: 'x'.repeat(32000) });
    const bytes = [...device.kept].filter(([key]) => key.startsWith('souk.q.')).reduce((sum, [, text]) => sum + text.length, 0);
    assert.ok(bytes <= 2000000 && bytes > 1950000, String(bytes));
    assert.equal(waiting(device) + page.dropped.length, 80);
}));

for (const [what, device] of [['blocked', () => makeDevice({ isBlocked: true })], ['full', () => makeDevice({ quota: 3 })]]) {
    test(`storage that is ${what} is replaced by memory`, async () => {
        const collector = await new Collector().start();
        const page = openTab(device());
        page.souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1, consent: { profile: true } });
        page.online(false);
        for (let i = 0; i < 20; i++) page.souk.track('A', { i });
        assert.deepEqual(page.souk.consent.get(), { profile: true });
        page.online(true);
        await until(() => collector.events.length === 21);
        assert.deepEqual(collector.named('A').map(event => event.properties.i).sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
        assert.equal(new Set(collector.events.map(event => event.anonymousId)).size, 1);
        assert.deepEqual(collector.broken, []);
        page.close();
        await collector.stop();
    });
}

/* ---- pages ---- */

test('a page that goes away sends a beacon of at most 60 KB, once, and keeps all until it is confirmed', () => withShop(
    async ({ collector, open, device }) => {
        const page = open({ flushAfterMs: 100000, flushAt: 100000 });
        for (let i = 0; i < 10; i++) page.souk.track('A', { i, text: '茶'.repeat(3000) });
        page.hide();
        await until(() => collector.requests.length === 1);
        assert.equal(collector.requests[0].path, '/beacon/v1/batch');
        assert.equal(collector.events.length, 6);
        assert.equal(waiting(device), 10);
        page.hide();
        await until(() => collector.events.length === 10);
        page.hide();
        page.close();
        const next = open();
        await until(() => next.sent.length === 10);
        assert.equal(waiting(device), 0);
        assert.equal(new Set(collector.events.map(event => event.messageId)).size, 10);
        assert.equal(collector.requests.filter(request => request.path === '/beacon/v1/batch').length, 2);
    }));

test('a page that is gone in the midst of a request leaves its events to the next', () => withShop(
    async ({ collector, open, device }) => {
        collector.plan = number => number === 0 && { hang: true };
        const page = open();
        page.souk.track('A', {}, { messageId: 'a' });
        await until(() => collector.requests.length === 1);
        page.close();
        const next = open();
        next.souk.track('B');
        await until(() => next.sent.length === 2);
        assert.deepEqual(collector.events.map(event => event.event), ['A', 'B']);
        assert.equal(waiting(device), 0);
    }));

test('with locks, tabs that send at once send each event once', () => withShop(async ({ collector, open }) => {
    const pages = [open(), open(), open()];
    for (let i = 0; i < 60; i++) pages[i % 3].souk.track('A');
    await Promise.all(pages.map(page => page.souk.flush()));
    await until(() => collector.events.length >= 60);
    assert.equal(collector.events.length, 60);
    assert.equal(new Set(collector.events.map(event => event.messageId)).size, 60);
}));

test('without locks, tabs may send one twice and lose none', () => withShop(async ({ collector, open, device }) => {
    const pages = [open(), open(), open()];
    for (let i = 0; i < 60; i++) pages[i % 3].souk.track('A');
    await Promise.all(pages.map(page => page.souk.flush()));
    await until(() => waiting(device) === 0);
    assert.equal(new Set(collector.events.map(event => event.messageId)).size, 60);
}, { device: makeDevice({ hasLocks: false }) }));

/* ---- everything at once ---- */

/** Tabs come and go while the server misbehaves; the messages that were tracked. */
async function story({ collector, open }, seed, misbehave) {
    const pick = seeded(seed);
    const messages = [];
    const pages = [];
    collector.plan = () => misbehave(pick);
    for (let step = 0; step < 120; step++) {
        const live = pages.filter(page => page.isOpen);
        const page = live[pick(live.length || 1)];
        const what = pick(20);
        if (!page || what === 0 && live.length < 4) pages.push(open({}, { patience_ms: 60 }));
        else if (what === 1 && live.length > 1) page.hide(), page.close();
        else if (what === 2) page.online(!page.isOnline);
        else if (what === 3 && pick(3) === 0) await collector.stop(), await collector.start();
        else if (what === 4) await page.souk.flush();
        else if (what === 5) page.hide();
        else {
            const messageId = randomId();
            messages.push(messageId);
            page.souk.track('A', { step, text: 'x'.repeat(pick(20) === 0 ? 33000 : pick(3000)) }, { messageId });
        }
        await new Promise(resolve => setTimeout(resolve, pick(3)));
    }
    collector.plan = () => ({});
    return { messages, pages };
}

const FAULTS = [
    { status: 500 }, { status: 429 }, { status: 503 }, { cut: true }, { stored: true, cut: true }, { status: 413 },
    { hang: true }, { status: 400 },
];

for (const hasLocks of [true, false]) {
    test(`random tabs, answers and restarts lose nothing that was not reported, ${hasLocks ? 'with' : 'without'} locks`,
        async () => {
            let sent = 0, faults = 0, dropped = 0, repeated = 0;
            for (let seed = 1; seed <= 12; seed++) {
                const device = makeDevice({ hasLocks });
                await withShop(async shop => {
                    const told = await story(shop, seed * 7919, pick => {
                        const fault = FAULTS[pick(FAULTS.length * 2)];
                        faults += fault ? 1 : 0;
                        return fault;
                    });
                    const last = shop.open({}, { patience_ms: 2000 });
                    await until(() => last.souk.flush().then(() => waiting(device) === 0));
                    const pages = [...told.pages, last];
                    assert.deepEqual(lost(shop.collector, told.messages, pages), [], `seed ${seed}`);
                    sent += told.messages.length;
                    dropped += pages.flatMap(page => page.dropped).flatMap(({ events }) => events).length;
                    repeated += shop.collector.events.length - new Set(shop.collector.events.map(e => e.messageId)).size;
                }, { device });
            }
            assert.ok(sent > 900 && faults > 50 && dropped > 50 && repeated > 10, [sent, faults, dropped, repeated].join());
        });
}

test('an answer that lies is noticed by the same count', () => withShop(async shop => {
    const told = await story(shop, 4711, pick => pick(4) === 0 && { lie: true });
    const last = shop.open({}, { patience_ms: 2000 });
    await until(() => last.souk.flush().then(() => waiting(shop.device) === 0));
    assert.ok(lost(shop.collector, told.messages, [...told.pages, last]).length > 0);
}));
