/* core.js - the tracker itself: from a call to an event in the queue, past the shopper's decision.
 *
 *     const souk = makeTracker(platform);        browser.js or mini.js
 *     souk.load({writeKey: '…', host: 'https://souk.shop.example'});
 *     souk.track('Product Viewed', {product_id: '17'});
 *
 * Where an event goes
 *
 *     profile is yes          to the queue, kept on the device, with anonymousId and userId
 *     named in `serve`        to the queue, in memory, bare: no anonymousId that lasts, no page, no device
 *     not decided yet         waits in memory, at most 100, until consent.set
 *     profile is no           dropped with reason 'consent'
 *
 * No call throws: a shop's page goes on whatever happens here. */
import { makeConsent } from './consent.js';
import { makeIdentity } from './identity.js';
import { makeQueue, utf8Bytes } from './queue.js';
import { makeSender } from './sender.js';
import { makeHelpers } from './shop.js';
import { makeStore } from './store.js';

/** @typedef {import('../souk').Souk} Souk */
/** @typedef {import('../souk').SoukEvent} SoukEvent */
/** @typedef {import('./types').Extra} Extra */

const LIBRARY = { name: 'souk-tracker', version: '1.0.0' };
const EVENT_BYTES = 32768;
const MOST_WAITING = 100;
const BY_CONSENT = 'c'; // an entry's basis, as queue.js has it
const BY_SERVICE = 's';

/**
 * What load makes.
 * @param {import('./types').Platform} platform
 * @param {import('../souk').LoadOptions} options
 * @param {import('./types').Ring} ring
 */
function start(platform, options, ring) {
    const store = makeStore(platform.backing);
    const jar = options.anonymousId === 'cookie' && platform.cookie
        ? makeStore(platform.cookie(options.cookieDomain)) : store;
    const consent = makeConsent(store, options.gpc === true || platform.gpc());
    const identity = makeIdentity(store, jar, platform.random);
    const queue = makeQueue(store, platform.random().slice(0, 8), (entries, reason) =>
        drop(entries.map(entry => JSON.parse(entry.text)), reason));
    const sender = makeSender({ platform, store, queue, options, ring, settle });
    /** @type {SoukEvent[]} */
    let waiting = [];
    let dropped = 0;

    /** @param {SoukEvent[]} events @param {import('../souk').DropReason} reason */
    function drop(events, reason) {
        dropped += events.length;
        if (events.length) ring('dropped', { events, reason, total: dropped });
    }

    /** @param {SoukEvent} event @param {string} basis @param {boolean} keep */
    function enqueue(event, basis, keep) {
        event.context.consent = consent.statement();
        const text = JSON.stringify(event);
        if (utf8Bytes(text) > EVENT_BYTES) return drop([event], 'size');
        queue.push(text, basis, keep);
        sender.soon();
    }

    /** What a decision, of this tab or another one, means for what waits.  true: she said yes. */
    function settle() {
        const mayCollect = consent.allows();
        if (!consent.get()) return false;
        const held = waiting;
        waiting = [];
        if (mayCollect) {
            const guest = identity.who(false).anonymousId;
            const { anonymousId } = identity.who(true);
            for (const event of held) {
                if (event.anonymousId === guest) event.anonymousId = anonymousId;
                enqueue(event, BY_CONSENT, true);
            }
        } else {
            drop(held, 'consent');
            queue.drop(queue.list().filter(entry => entry.basis === BY_CONSENT), 'consent');
        }
        return mayCollect;
    }

    /** @param {SoukEvent} event */
    function hold(event) {
        if (waiting.length === MOST_WAITING) drop(waiting.splice(0, 1), 'full');
        waiting.push(JSON.parse(JSON.stringify(event))); // the caller may change its own
    }

    /** @param {SoukEvent} event @returns {SoukEvent} what contract or law need of it */
    function bare({ type, event, messageId, userId, timestamp, properties }) {
        const anonymousId = userId ? undefined : platform.random(); // of this event alone
        const context = { library: LIBRARY };
        return { type, event, messageId, anonymousId, userId, timestamp, properties, context };
    }

    /** @param {Partial<SoukEvent> & {type: SoukEvent['type']}} fields @param {Extra} extra */
    function capture(fields, extra) {
        const mayCollect = settle();
        /** @type {SoukEvent} */
        const event = {
            messageId: extra.messageId || platform.random(),
            ...identity.who(mayCollect),
            timestamp: new Date(extra.timestamp || Date.now()).toISOString(),
            ...fields,
            context: { ...platform.context(), library: LIBRARY },
        };
        try {
            if (mayCollect) enqueue(event, BY_CONSENT, true);
            else if ((options.serve || []).includes(event.event || '')) enqueue(bare(event), BY_SERVICE, false);
            else if (consent.get()) drop([event], 'consent');
            else hold(event);
        } catch (error) { // what JSON cannot say: a circle, a BigInt
            drop([event], 'invalid');
        }
    }

    /** @param {import('../souk').Choices} choices */
    function decide(choices) {
        const hadSaidYes = consent.allows();
        const before = identity.who(hadSaidYes);
        const isKnown = hadSaidYes || before.userId;
        if (!consent.change(choices)) return;
        settle();
        const properties = /** @type {import('../souk').Choices} */ (consent.get());
        const told = { type: /** @type {const} */ ('track'), event: 'Consent Updated', properties };
        if (consent.allows()) return capture(told, {});
        // A withdrawal must reach the server: this one event keeps the identity until it has.
        if (isKnown) {
            const who = hadSaidYes ? before : { userId: before.userId };
            const event = { ...told, ...who, messageId: platform.random(), timestamp: new Date().toISOString() };
            enqueue({ ...event, context: { library: LIBRARY } }, BY_SERVICE, hadSaidYes);
        }
        identity.forget();
    }

    platform.watch(sender);
    if (options.consent && options.consent !== 'required') decide(options.consent);
    else if (consent.get()) decide({}); // Global Privacy Control may be on since the last page
    if (!consent.allows()) identity.reset(); // a yes of 13 months ago
    sender.soon(); // what the last page left

    return { capture, decide, consent, identity, flush: sender.flush, mayCollect: consent.allows };
}

/** @param {import('./types').Platform} platform @returns {Souk} */
export function makeTracker(platform) {
    /** @type {{[name: string]: Array<(notice: any) => void>}} */
    const listeners = {};
    /** @type {ReturnType<typeof start> | undefined} */
    let session;
    /** @type {number | undefined} */
    let moment; // when a call was made that is told only now

    /** @type {import('./types').Ring} */
    function ring(name, notice) {
        for (const listener of listeners[name] || []) {
            try {
                listener(notice);
            } catch (error) {
                // the listener's own fault must not stop the queue
            }
        }
    }

    /** @param {string} message */
    function fault(message) {
        if (!listeners.error) console.error('souk: ' + message);
        ring('error', { message });
    }

    /** Runs work of a call with what load made. @template T @param {(s: NonNullable<typeof session>) => T} work */
    function within(work) {
        try {
            if (session) return work(session);
            fault('call load({writeKey, host}) first');
        } catch (error) {
            fault(String(error));
        }
    }

    /** @param {Partial<SoukEvent> & {type: SoukEvent['type']}} fields @param {Extra} [extra] */
    function capture(fields, extra) {
        within(s => s.capture(fields, { timestamp: moment, ...extra }));
    }

    /** @type {Souk} */
    const souk = {
        load(options) {
            if (session) return fault('load was called before');
            if (!options || !options.writeKey || !options.host) return fault('load needs writeKey and host');
            try {
                session = start(platform, options, ring);
                if (!options.autoPage) return;
                souk.page();
                if (platform.watchPages) platform.watchPages(() => souk.page());
            } catch (error) {
                fault(String(error));
            }
        },
        identify(userId, traits, extra) {
            if (userId) within(s => s.identity.login(String(userId), s.mayCollect()));
            capture({ type: 'identify', traits }, extra);
        },
        track: (event, properties, extra) => capture({ type: 'track', event, properties }, extra),
        page(name, properties, extra) {
            capture({ type: 'page', name, properties: { ...platform.context().page, ...properties } }, extra);
        },
        group: (groupId, traits, extra) => capture({ type: 'group', groupId, traits }, extra),
        alias(userId, previousId, extra) {
            const previous = () => within(s => s.identity.who(s.mayCollect()).anonymousId);
            capture({ type: 'alias', userId, previousId: previousId || previous() }, extra);
        },
        reset: () => within(s => s.identity.reset()),
        consent: {
            get: () => within(s => s.consent.get()) || null,
            set: choices => within(s => s.decide(choices)),
        },
        flush: () => within(s => s.flush()) || Promise.resolve(false),
        on(name, listener) {
            (listeners[name] = listeners[name] || []).push(listener);
            return () => {
                listeners[name] = listeners[name].filter(other => other !== listener);
            };
        },
        push(call) {
            try {
                if (typeof call === 'function') return call(souk);
                const [name, ...words] = /** @type {[string, ...any[]]} */ (call);
                const method = name.split('.').reduce((/** @type {any} */ at, key) => at[key], souk);
                moment = /** @type {{when?: number}} */ (/** @type {unknown} */ (call)).when;
                method(...words);
            } catch (error) {
                fault(`${call}: ${error}`);
            } finally {
                moment = undefined;
            }
        },
        ...makeHelpers((event, properties, extra) => souk.track(event, properties, extra)),
    };
    return souk;
}
