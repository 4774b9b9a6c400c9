/* collector.js - a small server that takes batches as Souk does, and misbehaves as it is told.
 *
 *     const collector = await new Collector().start();
 *     collector.plan = number => number === 0 ? { status: 429, retryAfter: 1 } : {};
 *     …
 *     collector.times('a3f…')       how often an event of that messageId was stored
 *     collector.broken              rules that a request broke; a test ends with this empty
 *
 * With collector.forward = 'http://…' it stands in front of a real server, and stores nothing itself.
 *
 * A fault is {status, retryAfter} an answer; {hang: true} none; {cut: true} the connection ends before, and
 * {stored: true, cut: true} after the events were stored; {lie: true} 200 and nothing stored. */
import http from 'node:http';

const BATCH_BYTES = 400000;
const BEACON_BYTES = 60000;
const EVENT_BYTES = 32768;

export class Collector {
    constructor() {
        this.events = []; // in the order they were stored, repeats included
        this.requests = []; // {path, count, bytes, at, headers}
        this.writeKey = 'wk';
        this.broken = [];
        this.plan = () => ({});
        this.most_bytes = Infinity; // a larger body is answered with 413
        this.port = 0;
        this.forward = '';
        this.files = {}; // path: {type, text, headers}, for pages
    }

    async start() {
        this.server = http.createServer((request, response) => this.take(request, response));
        await new Promise(resolve => this.server.listen(this.port, '127.0.0.1', resolve));
        this.port = this.server.address().port;
        this.host = `http://127.0.0.1:${this.port}`;
        return this;
    }

    /** As a crash does: whoever is connected hears nothing more. */
    async stop() {
        const closed = new Promise(resolve => this.server.close(resolve));
        this.server.closeAllConnections();
        await closed;
    }

    times(messageId) {
        return this.events.filter(event => event.messageId === messageId).length;
    }

    named(name) {
        return this.events.filter(event => event.event === name);
    }

    take(request, response) {
        const url = new URL(request.url, this.host);
        const file = this.files[url.pathname];
        if (file) {
            response.writeHead(200, { 'Content-Type': file.type, ...file.headers });
            return response.end(file.text);
        }
        const chunks = [];
        request.on('error', () => {});
        request.on('data', chunk => chunks.push(chunk));
        request.on('end', () => this.answer(request, response, url, Buffer.concat(chunks)));
    }

    answer(request, response, url, body) {
        if (request.method === 'OPTIONS') this.broken.push('a preflight: the request was not a simple one');
        if (request.method !== 'POST') return response.writeHead(404).end();
        const isBeacon = url.pathname === '/beacon/v1/batch';
        const fault = this.plan(this.requests.length) || {};
        const events = this.judge(request, url, body, isBeacon);
        this.requests.push({
            path: url.pathname, count: events.length, bytes: body.length, at: Date.now(), headers: request.headers,
        });
        const isTooLarge = body.length > this.most_bytes;
        const status = isTooLarge ? 413 : fault.status || 200;
        if ((status === 200 && !fault.lie && !fault.hang && !fault.cut) || fault.stored) {
            if (this.forward) return this.pass(request, response, body, fault);
            this.events.push(...events);
        }
        if (fault.hang) return;
        if (fault.cut) return request.socket.destroy();
        response.setHeader('Access-Control-Allow-Origin', request.headers.origin || '*');
        response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
        if (fault.retryAfter) response.setHeader('Retry-After', String(fault.retryAfter));
        response.writeHead(status, { 'Content-Type': 'application/json' }).end('{"success":true}');
    }

    async pass(request, response, body, fault) {
        const headers = { 'Content-Type': request.headers['content-type'] };
        const answer = await fetch(this.forward + request.url, { method: 'POST', headers, body });
        const text = await answer.text();
        if (fault.cut) return request.socket.destroy();
        const retryAfter = answer.headers.get('retry-after');
        response.writeHead(answer.status, retryAfter ? { 'Retry-After': retryAfter } : {}).end(text);
    }

    /** The rules of the protocol; the events of the body. */
    judge(request, url, body, isBeacon) {
        const rule = (holds, words) => holds || this.broken.push(`${words}: ${request.method} ${request.url}`);
        rule(isBeacon || url.pathname === '/v1/batch', 'an unknown path');
        rule(/^text\/plain/.test(request.headers['content-type']), 'not text/plain');
        rule(body.length <= (isBeacon ? BEACON_BYTES : BATCH_BYTES), `a body of ${body.length} bytes`);
        let told;
        try {
            told = JSON.parse(body.toString());
        } catch (error) {
            this.broken.push('a body that is no JSON');
            return [];
        }
        rule(told.writeKey === this.writeKey && (!isBeacon || url.searchParams.get('writeKey') === this.writeKey), 'no write key');
        rule(Math.abs(Date.now() - Date.parse(told.sentAt)) < 60000, 'no sentAt');
        rule(told.batch.length > 0 && told.batch.length <= 100, `${told.batch.length} events`);
        for (const event of told.batch) {
            rule(Buffer.byteLength(JSON.stringify(event)) <= EVENT_BYTES, 'a large event');
            rule(typeof event.messageId === 'string' && event.messageId, 'no messageId');
            rule(event.userId || event.anonymousId, 'an event of nobody');
            rule(Date.parse(event.timestamp) <= Date.now() + 1000, 'a timestamp that is none');
            rule(event.context.library.name === 'souk-tracker' && event.context.consent, 'no context');
        }
        return told.batch;
    }
}
