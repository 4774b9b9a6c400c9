/* browser.test.js - the classic script in real Chromium: pages that hide, reload, lose the network or storage. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Collector } from './collector.js';
import { until } from './device.js';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : `no Chromium at ${executablePath}: install Debian's chromium, or set CHROMIUM`;
const read = name => readFileSync(new URL(name, import.meta.url), 'utf8');
const snippet = read('../README.md').match(/```html\n([^]*?)```/)[1];
const script = snippet.match(/<script>\n([^]*?)<\/script>/)[1];
let browser;

before(async () => {
    if (!skip) browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
});
after(() => browser && browser.close());

const html = (head, headers = {}) => ({
    type: 'text/html; charset=utf-8', headers,
    text: `<!doctype html><title>Tea shop</title>${head}<h1>茶</h1><a href="#reviews">reviews</a>`,
});

/** A shop's site and, of another origin, a collector; pages are opened by path. */
function inBrowser(name, work, { options = 'flushAfterMs: 1', init = () => {}, context = {} } = {}) {
    test(name, { skip }, async () => {
        const collector = await new Collector().start();
        const site = await new Collector().start();
        const told = `'${collector.host}', ${options}`;
        const mended = text => text.replace('souk_wk_YOURS', 'wk').replace("'https://souk.shop.example'", told);
        const javascript = 'text/javascript; charset=utf-8';
        const strict = `script-src 'self'; connect-src ${collector.host}; default-src 'none'`;
        site.files = {
            '/shop': html(mended(snippet)),
            '/other': html(mended(snippet)),
            '/strict': html('<script src="/start.js"></script><script async src="/souk.js"></script>',
                { 'Content-Security-Policy': strict }),
            '/sandbox': html(mended(snippet), { 'Content-Security-Policy': 'sandbox allow-scripts' }),
            '/module': html(`<script type="module">
                import { souk } from './souk.mjs'; window.souk = souk; ${mended(script)}</script>`),
            '/empty': html(''),
            '/start.js': { type: javascript, text: mended(script) },
            '/souk.js': { type: javascript, text: read('../dist/souk.js') },
            '/souk.mjs': { type: javascript, text: read('../dist/souk.mjs') },
        };
        const visitor = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...context });
        const faults = [];
        await visitor.addInitScript(init);
        const open = async (path = '/shop') => {
            const page = await visitor.newPage();
            page.on('pageerror', error => faults.push(error.message));
            page.on('console', message => {
                const isOurs = message.type() === 'error' && !/Failed to load|ERR_/.test(message.text());
                if (isOurs) faults.push(message.text());
            });
            await page.goto(site.host + path);
            await page.waitForFunction(() => window.souk && window.souk.flush);
            return page;
        };
        try {
            await work({ collector, site, visitor, open });
            assert.deepEqual([...collector.broken, ...faults], []);
        } finally {
            await visitor.close();
            await collector.stop();
            await site.stop();
        }
    });
}

const say = (page, choices) => page.evaluate(told => souk.consent.set(told), choices);
const track = (page, name, properties) => page.evaluate(told => souk.track(...told), [name, properties]);
const flush = page => page.evaluate(() => souk.flush());
const kept = page => page.evaluate(() => Object.keys(localStorage).map(key => key.replace(/^souk\.q\..*/, 'souk.q')).sort());
const names = collector => collector.events.map(event => event.event || event.type);

inBrowser('the snippet of README works as it stands: calls before the script are kept, with their moment', async (
    { collector, site, open }) => {
    site.files['/shop'].text = site.files['/shop'].text
        .replace('<script async', '<script>souk.push(["track", "Early"]); window.moment = Date.now(); window.early = souk;</script>$&')
        .replace('src="/souk.js"', 'src="/slow.js"');
    const slowly = 'const end = Date.now() + 200; while (Date.now() < end);';
    site.files['/slow.js'] = { type: 'text/javascript', text: slowly + site.files['/souk.js'].text };
    const page = await open('/shop?utm_source=letter&utm_campaign=spring&color=green#reviews');
    assert.deepEqual(await kept(page), []);
    await page.evaluate(() => souk.push(souk => souk.consent.set({ profile: true })));
    assert.equal(await flush(page), true);
    assert.deepEqual(names(collector), ['page', 'Early', 'Consent Updated']);
    const [seen, early] = collector.events;
    assert.ok(Date.parse(early.timestamp) <= await page.evaluate(() => window.moment));
    const { page: where, campaign, locale, timezone, screen, userAgent } = seen.context;
    const search = '?utm_source=letter&utm_campaign=spring&color=green';
    assert.deepEqual(where, { url: site.host + '/shop' + search, path: '/shop', title: 'Tea shop', referrer: '', search });
    assert.deepEqual(campaign, { name: 'spring', source: 'letter' });
    assert.deepEqual([locale, timezone], ['zh-CN', 'Asia/Shanghai']);
    assert.ok(screen.width > 0 && userAgent.includes('Chrom'));
    assert.deepEqual(seen.properties, where);
    assert.deepEqual(await kept(page), ['souk.anonymous', 'souk.consent']);
    assert.equal(collector.requests[0].headers.cookie, undefined);
});

inBrowser('a page that is left sends a beacon, and what nobody confirmed is sent by the next page', async (
    { collector, open, site }) => {
    const page = await open();
    await say(page, { profile: true });
    await flush(page);
    await track(page, 'Last');
    await page.goto(site.host + '/empty');
    await until(() => collector.named('Last').length === 1);
    assert.deepEqual(collector.requests.map(request => request.path), ['/v1/batch', '/beacon/v1/batch']);
    assert.deepEqual(await kept(page), ['souk.anonymous', 'souk.consent', 'souk.q']);
    const next = await open('/other');
    assert.equal(await flush(next), true);
    assert.ok(!(await kept(next)).includes('souk.q'));
    const [first, second] = collector.named('Last');
    assert.equal(first.messageId, second.messageId);
}, { options: 'flushAfterMs: 60000' });

inBrowser('a tab that is closed sends a beacon', async ({ collector, open }) => {
    const page = await open();
    await say(page, { profile: true });
    await flush(page);
    await track(page, 'Last');
    await page.close({ runBeforeUnload: true });
    await until(() => collector.named('Last').length === 1);
}, { options: 'flushAfterMs: 60000' });

inBrowser('a bare order of a page that is left at once goes by beacon', async ({ collector, open, site }) => {
    const page = await open();
    await say(page, { profile: false });
    await page.evaluate(() => souk.orderCompleted({ order_id: 'A-1' }));
    await page.goto(site.host + '/empty');
    await until(() => collector.named('Order Completed').length === 1);
    assert.deepEqual(await kept(page), ['souk.consent']);
}, { options: "flushAfterMs: 60000, serve: ['Order Completed']" });

inBrowser('a reload in the midst of a request loses nothing', async ({ collector, open }) => {
    const page = await open();
    await say(page, { profile: true });
    await flush(page);
    collector.plan = () => ({ hang: true });
    for (let i = 0; i < 10; i++) await track(page, 'A', { i });
    await until(() => collector.requests.length > 1);
    collector.plan = () => ({});
    await page.reload();
    await page.waitForFunction(() => window.souk && window.souk.flush);
    await until(async () => !(await kept(page)).includes('souk.q'));
    assert.equal(new Set(collector.named('A').map(event => event.messageId)).size, 10);
});

inBrowser('two tabs share one queue and lose nothing; a dead tab leaves nothing behind', async (
    { collector, open }) => {
    const pages = [await open(), await open('/other')];
    await say(pages[0], { profile: true });
    for (let i = 0; i < 40; i++) await track(pages[i % 2], 'A', { i });
    await Promise.all(pages.map(flush));
    // a process may hear late what another one removed from storage: some go twice, with one messageId
    assert.equal(new Set(collector.named('A').map(event => event.messageId)).size, 40);
    assert.ok(collector.named('A').length < 60, String(collector.named('A').length));
    assert.equal(new Set(collector.named('A').map(event => event.anonymousId)).size, 1);
    collector.plan = () => ({ hang: true }); // one tab dies while it holds the lock
    const begun = collector.requests.length;
    await track(pages[0], 'Left');
    await until(() => collector.requests.length > begun);
    collector.plan = () => ({});
    await pages[0].close();
    await track(pages[1], 'Next');
    await until(async () => !(await kept(pages[1])).includes('souk.q'));
    assert.ok(collector.named('Left').length >= 1 && collector.named('Next').length === 1);
});

inBrowser('an answer of 503 is waited for by all tabs', async ({ collector, open }) => {
    const pages = [await open(), await open()];
    await say(pages[0], { profile: true });
    await flush(pages[0]);
    const begun = collector.requests.length;
    collector.plan = number => number === begun && { status: 503, retryAfter: 1 };
    await track(pages[0], 'A');
    assert.equal(await flush(pages[0]), false);
    await track(pages[1], 'B');
    assert.equal(await flush(pages[1]), false);
    await until(() => collector.named('A').length === 1 && collector.named('B').length === 1);
    const [failed, again] = collector.requests.slice(begun).map(request => request.at);
    assert.ok(again - failed >= 1000, String(again - failed));
});

inBrowser('without a network events wait, and go when it is back', async ({ collector, visitor, open }) => {
    const page = await open();
    await say(page, { profile: true });
    await flush(page);
    await visitor.setOffline(true);
    await track(page, 'Offline');
    assert.equal(await flush(page), false);
    assert.ok((await kept(page)).includes('souk.q'));
    await visitor.setOffline(false);
    await until(() => collector.named('Offline').length === 1);
    await until(async () => !(await kept(page)).includes('souk.q'));
});

inBrowser('where storage is blocked and locks are refused, memory does', async ({ collector, open, site }) => {
    const page = await open('/sandbox');
    assert.equal(await page.evaluate(() => { try { return !!localStorage; } catch (error) { return error.name; } }), 'SecurityError');
    await say(page, { profile: true });
    await track(page, 'A');
    assert.equal(await flush(page), true);
    assert.deepEqual(names(collector), ['page', 'Consent Updated', 'A']);
    await track(page, 'Last');
    await page.goto(site.host + '/empty');
    await until(() => collector.named('Last').length === 1);
    assert.equal(new Set(collector.events.map(event => event.anonymousId)).size, 1);
}, { options: 'flushAfterMs: 60000' });

inBrowser("under script-src 'self' it works from files", async ({ collector, open }) => {
    const page = await open('/strict');
    await say(page, { profile: true });
    assert.equal(await flush(page), true);
    assert.deepEqual(names(collector), ['page', 'Consent Updated']);
});

inBrowser('the module works as the script does', async ({ collector, open }) => {
    const page = await open('/module');
    await say(page, { profile: true });
    assert.equal(await flush(page), true);
    assert.deepEqual(names(collector), ['page', 'Consent Updated']);
});

inBrowser('Global Privacy Control is heard and sent along', async ({ collector, open }) => {
    const page = await open();
    await say(page, { profile: true, advertise: true });
    await flush(page);
    for (const event of collector.events) {
        assert.deepEqual(event.context.consent,
            { categoryPreferences: { profile: true, advertise: false, share: false }, gpc: true });
    }
}, { init: () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }) });

inBrowser('autoPage tells each change of path or query, and the page before', async ({ collector, open, site }) => {
    const page = await open();
    await say(page, { profile: true });
    await page.evaluate(async () => {
        const rest = () => new Promise(resolve => setTimeout(resolve, 20));
        history.replaceState({}, '', location.href); // a router that says where it is
        history.pushState({}, '', '/tea');
        document.title = 'Tea';
        await rest();
        location.hash = 'reviews';
        await rest();
        history.pushState({}, '', '/tea?color=green');
        await rest();
        history.back();
        await rest();
    });
    await flush(page);
    const pages = collector.events.filter(event => event.type === 'page' && event.properties.path !== '/shop');
    const told = ({ properties: { url, title, referrer } }) => [url, title, referrer].map(text => text.replace(site.host, ''));
    assert.deepEqual(pages.map(told), [
        ['/tea', 'Tea', '/shop'], ['/tea?color=green', 'Tea', '/tea#reviews'], ['/tea', 'Tea', '/tea?color=green'],
    ]);
}, { options: 'autoPage: true, flushAfterMs: 1' });

inBrowser('the anonymousId is in a cookie where the shop says so, for 13 months at most, and goes with a no', async (
    { collector, visitor, open }) => {
    const page = await open();
    assert.deepEqual(await visitor.cookies(), []);
    await say(page, { profile: true });
    await flush(page);
    const [cookie] = await visitor.cookies();
    assert.equal(cookie.name, 'souk.anonymous');
    assert.ok(cookie.value.endsWith(collector.events[0].anonymousId));
    assert.equal(cookie.sameSite, 'Lax');
    const days = (cookie.expires - Date.now() / 1000) / 86400;
    assert.ok(days > 389 && days < 391, String(days));
    assert.deepEqual(await kept(page), ['souk.consent']);
    const next = await open('/other');
    await track(next, 'Next');
    await flush(next);
    assert.equal(collector.named('Next')[0].anonymousId, collector.events[0].anonymousId);
    await say(next, { profile: false });
    assert.deepEqual(await visitor.cookies(), []);
}, { options: "anonymousId: 'cookie', flushAfterMs: 1" });

inBrowser('a page that comes back from the back/forward cache goes on', async ({ collector, open, site }) => {
    const page = await open();
    await say(page, { profile: true });
    await flush(page);
    await track(page, 'Before');
    await page.goto(site.host + '/empty');
    await page.goBack();
    await page.waitForFunction(() => window.souk && window.souk.flush);
    await track(page, 'After');
    await flush(page);
    await until(async () => !(await kept(page)).includes('souk.q'));
    assert.ok(collector.named('Before').length >= 1);
    assert.equal(collector.named('After').length, 1);
}, { options: 'flushAfterMs: 60000' });
