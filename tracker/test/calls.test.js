/* calls.test.js - what each call sends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from './collector.js';
import { makeDevice, openTab, until } from './device.js';

/** A page whose shopper said yes; work gets it and what the collector stored. */
async function withPage(work, { device = makeDevice(), tab = {}, options = {} } = {}) {
    const collector = await new Collector().start();
    const page = openTab(device, tab);
    page.souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1, consent: { profile: true }, ...options });
    try {
        await work(page.souk, collector, page, device);
        assert.deepEqual(collector.broken, []);
    } finally {
        page.close();
        await collector.stop();
    }
}

test('every call has its type, its fields and what all events have', () => withPage(async (souk, collector) => {
    souk.identify('u1', { email: 'ann@shop.example' });
    souk.track('Product Viewed', { product_id: '17' });
    souk.page('Tea', { shelf: 3 });
    souk.group('club', { level: 'gold' });
    souk.alias('u2');
    assert.equal(await souk.flush(), true);
    const [consent, identify, track, page, group, alias] = collector.events;
    assert.equal(consent.event, 'Consent Updated');
    assert.deepEqual([identify.type, identify.userId, identify.traits], ['identify', 'u1', { email: 'ann@shop.example' }]);
    assert.deepEqual([track.type, track.event, track.properties], ['track', 'Product Viewed', { product_id: '17' }]);
    assert.deepEqual([page.type, page.name], ['page', 'Tea']);
    assert.deepEqual(page.properties, { url: 'https://shop.example/a?b=c', path: '/a', search: '?b=c', shelf: 3 });
    assert.deepEqual([group.type, group.groupId, group.traits], ['group', 'club', { level: 'gold' }]);
    assert.deepEqual([alias.type, alias.userId, alias.previousId], ['alias', 'u2', consent.anonymousId]);
    for (const event of collector.events) {
        assert.match(event.messageId, /^[0-9a-f]{32}$/);
        assert.equal(event.anonymousId, consent.anonymousId);
        assert.equal(event.context.userAgent, 'test');
        assert.deepEqual(event.context.consent, { categoryPreferences: { profile: true } });
    }
    assert.deepEqual([track.userId, page.userId], ['u1', 'u1']);
    assert.equal(new Set(collector.events.map(event => event.messageId)).size, 6);
}));

test('a helper is named as its event', () => withPage(async (souk, collector) => {
    souk.productsSearched('green tea');
    souk.productsSearched({ query: 'tea', hits: 4 });
    souk.productAdded({ product_id: '17', price: '12.50', quantity: 2 });
    souk.orderCompleted({ order_id: 'A-1', total: '25.00', currency: 'EUR' }, { messageId: 'order A-1' });
    souk.storeEntered({ store_id: '0042', method: 'qr' });
    await souk.flush();
    const told = collector.events.slice(1).map(event => [event.event, event.properties]);
    assert.deepEqual(told, [
        ['Products Searched', { query: 'green tea' }],
        ['Products Searched', { query: 'tea', hits: 4 }],
        ['Product Added', { product_id: '17', price: '12.50', quantity: 2 }],
        ['Order Completed', { order_id: 'A-1', total: '25.00', currency: 'EUR' }],
        ['Store Entered', { store_id: '0042', method: 'qr' }],
    ]);
    assert.equal(collector.times('order A-1'), 1);
}));

test('an event is of the moment it happened, not of its sending', () => withPage(async (souk, collector) => {
    const before = Date.now();
    souk.track('Now');
    souk.track('Then', {}, { timestamp: '2026-01-02T10:00:00Z' });
    const call = ['track', 'Early'];
    call.when = before - 5000;
    souk.push(call);
    souk.push(['track', 'Late']);
    await new Promise(resolve => setTimeout(resolve, 50));
    await souk.flush();
    const at = name => Date.parse(collector.named(name)[0].timestamp);
    assert.ok(at('Now') >= before && at('Now') < before + 50, 'the moment of the call');
    assert.equal(at('Then'), Date.parse('2026-01-02T10:00:00Z'));
    assert.equal(at('Early'), before - 5000);
    assert.ok(at('Late') >= before, 'a call without a moment is of now');
}));

test('reset and another user begin a new anonymousId, the same user does not', () => withPage(async (souk, collector) => {
    const whose = async name => {
        souk.track(name);
        await souk.flush();
        const { anonymousId, userId } = collector.named(name)[0];
        return { anonymousId, userId };
    };
    const stranger = await whose('1');
    souk.identify('ann');
    const ann = await whose('2');
    souk.identify('ann');
    assert.deepEqual(await whose('3'), ann);
    assert.deepEqual(ann, { anonymousId: stranger.anonymousId, userId: 'ann' });
    souk.identify('bob');
    const bob = await whose('4');
    assert.equal(bob.userId, 'bob');
    assert.notEqual(bob.anonymousId, ann.anonymousId);
    souk.reset();
    const next = await whose('5');
    assert.equal(next.userId, undefined);
    assert.notEqual(next.anonymousId, bob.anonymousId);
}));

test('who is logged in is known to the next page, and a log-out there to this one', () => withPage(
    async (souk, collector, page, device) => {
        souk.identify('ann');
        const other = openTab(device);
        other.souk.load({ writeKey: 'wk', host: collector.host, flushAfterMs: 1 });
        other.souk.track('There');
        other.souk.reset();
        souk.track('Here');
        await other.souk.flush();
        await souk.flush();
        other.close();
        assert.equal(collector.named('There')[0].userId, 'ann');
        assert.equal(collector.named('Here')[0].userId, undefined);
    }));

test('an anonymousId ends after 13 months, and is not renewed before', () => withPage(
    async (souk, collector, page, device) => {
        const day_ms = 24 * 3600 * 1000;
        const age = days => device.kept.set('souk.anonymous', `${Date.now() - days * day_ms}.old`);
        souk.identify('ann');
        age(389);
        const written = device.kept.get('souk.anonymous');
        souk.track('Young');
        assert.equal(device.kept.get('souk.anonymous'), written);
        age(391);
        souk.track('New');
        await souk.flush();
        assert.equal(collector.named('Young')[0].anonymousId, 'old');
        assert.notEqual(collector.named('New')[0].anonymousId, 'old');
        assert.equal(collector.named('New')[0].userId, undefined);
    }));

test('what is wrong is told and never thrown', () => withPage(async (souk, collector, page) => {
    const circle = {};
    circle.self = circle;
    souk.track('Circle', circle);
    souk.track('Large', { text: 'ä'.repeat(20000) });
    souk.track('Fits', { text: 'ä'.repeat(15000) });
    souk.push(['no.such.call', 1]);
    souk.push(() => { throw new Error('the shop\'s own fault'); });
    souk.push(null);
    souk.load({ writeKey: 'wk', host: collector.host });
    souk.track('When', {}, { timestamp: 'yesterday' });
    souk.on('sent', () => { throw new Error('a listener\'s fault'); });
    assert.equal(await souk.flush(), true);
    assert.deepEqual(page.dropped.map(({ reason, total }) => [reason, total]), [['invalid', 1], ['size', 2]]);
    assert.equal(page.errors.length, 5);
    assert.equal(collector.named('Fits').length, 1);
    assert.equal(collector.named('Large').length, 0);
}));

test('a call before load says so', async t => {
    const told = t.mock.method(console, 'error', () => {});
    const silent = openTab(makeDevice());
    silent.souk.track('X');
    silent.souk.load({ writeKey: 'wk' });
    assert.deepEqual(silent.errors.map(error => error.message),
        ['call load({writeKey, host}) first', 'load needs writeKey and host']);
    assert.equal(silent.souk.consent.get(), null);
    assert.equal(await silent.souk.flush(), false);
    assert.equal(told.mock.callCount(), 0); // there is a listener
});

test('a listener can be taken away', () => withPage(async souk => {
    let heard = 0;
    const silence = souk.on('sent', () => heard++);
    await until(() => souk.flush());
    souk.track('A');
    await souk.flush();
    silence();
    souk.track('B');
    await souk.flush();
    assert.equal(heard, 2);
}));
