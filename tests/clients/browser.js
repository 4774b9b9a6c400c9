/* browser.js - a shop's pages in a real Chromium, for the browser clients.
 *
 *     const shop = await openShop({ client: 'some/bundle.js', script: 'page_segment.js', host, key, options });
 *     await shop.visits('segment-browser', count);      every shopper in a browser profile of her own
 *     shop.lost, shop.said, shop.violations             what was given up, what the client said of it, what CSP and CORS
 *     await shop.close();                               forbade
 *
 * The pages come from an origin of their own, so that what they send to Souk crosses origins; every second shopper has
 * pages with a strict Content-Security-Policy (no inline script, nothing but this origin and Souk).  Web security is on.
 *
 * Which events a browser client gave up, it does not always say (page_*.js tells where it does).  What is known for sure
 * is what the browser saw: an event is delivered when a request that carried it was answered 2xx; it is given up when
 * its client, by then at rest, has not delivered it.  A beacon's body is hidden from whoever looks: there the client's
 * own queue tells when it is done, and nobody ever knows what became of it.
 *
 * Run by itself it tells which Chromium there is, and fails where there is none. */
'use strict';
const fs = require('fs'), http = require('http'), os = require('os'), path = require('path');
const { storyOf, shoppersOf } = require('./events');

const AT_A_TIME = 25, REST_S = 60, ANONYMOUS = 3, RELOADS = 10;
const ARGS = ['--no-sandbox', '--disable-gpu']; // and not the npm package's, which switch off CORS

/* ---- Chromium ---------------------------------------------------------------------------------------------- */

/* That of npm, unpacked once beside it.  Its package unpacks into the folder of temporary files only. */
async function unpackChromium() {
    const kept = path.join(__dirname, 'node_modules', '.chromium');
    if (!fs.existsSync(kept)) {
        const before = process.env.TMPDIR, folder = fs.mkdtempSync(path.join(__dirname, 'node_modules', '.chromium-'));
        process.env.TMPDIR = folder;
        const packed = require('@sparticuz/chromium');
        await (packed.default || packed).executablePath();
        if (before === undefined)
            delete process.env.TMPDIR;
        else
            process.env.TMPDIR = before;
        fs.renameSync(folder, kept);
    }
    return path.join(kept, 'chromium');
}

async function openBrowser() {
    const { chromium } = require('playwright-core'), faults = [];
    for (const find of [unpackChromium, async () => '/usr/bin/chromium']) {
        try {
            return await chromium.launch({ executablePath: await find(), args: ARGS });
        } catch (error) {
            faults.push(error.message.split('\n')[0]);
        }
    }
    throw new Error('no Chromium runs here: ' + faults.join('; '));
}

/* ---- the shop's pages -------------------------------------------------------------------------------------- */

const quoted = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');

function pageOf({ host, key, options }, classic) {
    const data = quoted(JSON.stringify({ host, key, options }));
    return `<!doctype html><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">
<body data-setting="${data}">${classic ? '<script src="/client.js"></script>' : ''}
<script type="module" src="/page.js"></script>`;
}

function servePages(setting) {
    const classic = setting.client.endsWith('.js'), at = new URL(setting.host).origin;
    const strict = `default-src 'none'; script-src 'self'; connect-src ${at}; img-src ${at} data:`;
    const javascript = { 'Content-Type': 'text/javascript' };
    const server = http.createServer((request, response) => {
        const html = { 'Content-Type': 'text/html; charset=utf-8' };
        if (request.url.startsWith('/client.'))
            response.writeHead(200, javascript).end(fs.readFileSync(path.join(__dirname, 'node_modules', setting.client)));
        else if (request.url === '/page.js')
            response.writeHead(200, javascript).end(fs.readFileSync(path.join(__dirname, setting.script)));
        else if (request.url.startsWith('/strict'))
            response.writeHead(200, { ...html, 'Content-Security-Policy': strict }).end(pageOf(setting, classic));
        else
            response.writeHead(200, html).end(pageOf(setting, classic));
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/* ---- what the browser sees --------------------------------------------------------------------------------- */

/* Whose events a body carries.  RudderStack repeats the traits of an identify in each later event's context. */
function numbersIn(body) {
    const said = JSON.parse(body || '{}');
    return (said.batch || [said]).map(({ type, properties, traits, context }) =>
        type === 'identify' ? { ...(context || {}).traits, ...traits }.n : (properties || {}).n);
}

class Watch {
    constructor(context, host) {
        this.delivered = new Set();
        this.refused = new Map(); // n: the status of its last answer; 0: none
        this.last = Date.now();
        this.beacons = 0; // on their way
        this.violations = [];
        const carried = (request) => {
            if (!request.url().startsWith(host) || request.method() !== 'POST')
                return [];
            this.last = Date.now();
            return numbersIn(request.postData());
        };
        context.on('request', carried);
        context.on('requestfailed', (request) => this.answered(carried(request), 0));
        context.on('response', (answer) => this.answered(carried(answer.request()), answer.status()));
        context.on('request', (request) => { this.beacons += request.resourceType() === 'ping'; });
        for (const over of ['requestfinished', 'requestfailed'])
            context.on(over, (request) => { this.beacons -= request.resourceType() === 'ping'; });
        context.on('console', (message) => {
            if (/Content Security Policy|blocked by CORS/.test(message.text()) && !/ERR_FAILED/.test(message.text()))
                this.violations.push(message.text());
        });
    }

    answered(numbers, status) {
        for (const n of numbers)
            if (status >= 200 && status < 300)
                this.delivered.add(n);
            else
                this.refused.set(n, status);
    }
}

/* ---- visits ------------------------------------------------------------------------------------------------ */

class Visit {
    constructor(shop, page, watch, story) {
        Object.assign(this, { shop, page, watch, story, said: [] });
    }

    /* A page of the shop with its client loaded; a shopper whose page has no client reloads it. */
    async open(where) {
        for (let i = 0; i < RELOADS; i++) {
            await this.page.goto(this.shop.origin + where);
            if (await this.page.evaluate(() => window.shop.ready).catch(() => false))
                return;
        }
        throw new Error(`the client never loads: ${this.watch.violations[0] || 'no settings'}`);
    }

    async say(events) {
        for (let i = 0; i < events.length; i += 10) {
            const some = events.slice(i, i + 10);
            await this.page.evaluate((few) => few.forEach((event) => window.shop.say(event)), some);
            this.said.push(...some);
            await this.until((waiting) => waiting < 30); // RudderStack's queue drops what is above 100
        }
    }

    async waiting() {
        if (this.shop.blind)
            return this.watch.beacons + await this.page.evaluate(() => window.shop.waiting());
        const open = this.said.filter(({ n }) => !this.watch.delivered.has(n) && !this.shop.drops(this.watch.refused.get(n)));
        if (open.length === 0)
            return 0;
        const told = new Set(await this.page.evaluate(() => window.shop.givenUp()));
        return open.filter(({ n }) => !told.has(n)).length;
    }

    /* Until so few of her events wait, or the client has been at rest for so long that it has given them up. */
    async until(enough) {
        while (!enough(await this.waiting()) && Date.now() - this.watch.last < REST_S * 1000)
            await new Promise((resolve) => setTimeout(resolve, 100));
    }

    /* Anonymous, a next page while events are still on their way (for some), then known. */
    async tell(where, turns) {
        const anonymous = this.story.slice(0, ANONYMOUS), known = this.story.slice(ANONYMOUS);
        await this.open(where);
        await this.say(anonymous);
        if (turns)
            await this.open(where + '?next');
        await this.say(known);
        await this.until((waiting) => waiting === 0);
    }
}

class Shop {
    async visit(client, count, shopper) {
        const context = await this.browser.newContext(), watch = new Watch(context, this.setting.host);
        const story = storyOf(client, count, shopper);
        const visit = new Visit(this, await context.newPage(), watch, story);
        await visit.tell(shopper % 2 ? '/strict' : '/', this.turns && shopper % 10 === 2);
        if (!this.blind)
            this.lost.push(...story.map(({ n }) => n).filter((n) => !watch.delivered.has(n)));
        this.said.push(...await visit.page.evaluate(() => window.shop.givenUp()));
        this.violations.push(...watch.violations);
        await context.close();
    }

    async visits(client, count) {
        const shoppers = Array.from({ length: shoppersOf(count) }, (_, shopper) => shopper);
        const one = async () => {
            while (shoppers.length)
                await this.visit(client, count, shoppers.shift());
        };
        await Promise.all(Array.from({ length: AT_A_TIME }, one));
    }

    async close() {
        await this.browser.close();
        this.server.close();
    }
}

async function openShop(setting) {
    const shop = Object.assign(new Shop(), { setting, lost: [], said: [], violations: [], turns: true, blind: false,
        drops: () => false });
    shop.browser = await openBrowser();
    shop.server = await servePages(setting);
    shop.origin = `http://127.0.0.1:${shop.server.address().port}`;
    return shop;
}

module.exports = { openShop, openBrowser };

if (require.main === module)
    openBrowser().then(async (browser) => {
        console.log(`Chromium ${browser.version()}`);
        await browser.close();
    }).catch((error) => {
        console.error(error.message);
        process.exit(1);
    });
