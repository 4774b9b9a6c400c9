/* sender.js - brings the queue to the server, at least once; the messageId makes it once.
 *
 *     sender.soon()       a moment after an event, or at once when many wait
 *     sender.flush()      now; true: nothing is left, false: the rest will be tried again
 *     sender.part()       the page is going away: what this tab made goes as a beacon, and stays in
 *                         the queue, since nobody tells whether a beacon arrived
 *
 * An event leaves the queue when the server has answered for it, never before:
 *
 *     2xx                  it is stored
 *     413                  the batch is halved; one event alone is dropped
 *     400 401 404          dropped for ever: sending it again would not help
 *     all else, no answer  a pause, then again: Retry-After if there is one, and up to 1, 2, 4 … 60 s
 *
 * The pause is kept beside the queue, so that all tabs and the next page keep it, too.  One tab at a time
 * sends, under a lock of the browser; without locks two may send the same event, which does no harm. */

/** @typedef {import('./types').Entry} Entry */

const BATCH_EVENTS = 100;
const BATCH_BYTES = 400000;
const PARTING_BYTES = 60000;
const FOR_EVER = [400, 401, 404, 413];
const PAUSE = 'souk.pause';
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60000;
const LONGEST_RETRY_AFTER_S = 24 * 3600;

/**
 * @param {object} parts
 * @param {import('./types').Platform} parts.platform
 * @param {import('./types').Store} parts.store
 * @param {ReturnType<typeof import('./queue.js').makeQueue>} parts.queue
 * @param {import('../souk').LoadOptions} parts.options
 * @param {import('./types').Ring} parts.ring
 * @param {() => boolean} parts.settle what was decided is applied to the queue; true: the shopper said yes
 */
export function makeSender({ platform, store, queue, options, ring, settle }) {
    const host = options.host.replace(/\/+$/, '');
    const writeKey = JSON.stringify(options.writeKey);
    const flushAt = options.flushAt || 20;
    const flushAfterMs = options.flushAfterMs || 1000;
    /** @type {Promise<boolean> | null} */
    let running = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let timerAt = Infinity;
    let parted = ''; // key of the last entry that went as a beacon

    /** @param {number} wait_ms */
    function later(wait_ms) {
        const at = Date.now() + wait_ms;
        if (at >= timerAt) return;
        clearTimeout(timer);
        timerAt = at;
        timer = setTimeout(flush, wait_ms);
    }

    /** @param {Entry[]} entries */
    function bodyOf(entries) {
        const events = entries.map(entry => entry.text).join(',');
        return `{"batch":[${events}],"writeKey":${writeKey},"sentAt":"${new Date().toISOString()}"}`;
    }

    const envelopeBytes = bodyOf([]).length + writeKey.length * 2; // the key may need more bytes than units

    /** @returns {{until: number, failures: number, status: number}} */
    function pause() {
        try {
            return JSON.parse(store.get(PAUSE));
        } catch (error) {
            return { until: 0, failures: 0, status: 0 };
        }
    }

    /** How long nobody should try; a clock that was set back does not count. */
    function pauseLeftMs() {
        const left = pause().until - Date.now();
        return left > 0 && left < (LONGEST_RETRY_AFTER_S + 60) * 1000 ? left : 0;
    }

    /** @param {import('./types').Answer} answer @param {boolean} keep */
    function rest({ status, retryAfter }, keep) {
        const failures = pause().failures + 1;
        const most_ms = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
        const asked_s = Math.min(Math.max(Number(retryAfter) || 0, 0), LONGEST_RETRY_AFTER_S);
        const wait_ms = Math.ceil(asked_s * 1000 + platform.chance() * most_ms);
        store.set(PAUSE, JSON.stringify({ until: Date.now() + wait_ms, failures, status }), keep);
        later(wait_ms);
        ring('error', { message: `no success (${status || 'no answer'}): again in ${wait_ms} ms`, status });
    }

    /** Under the lock. @returns {Promise<boolean>} */
    async function sendAll() {
        let most = BATCH_EVENTS;
        for (;;) {
            const keep = settle();
            const wait_ms = pauseLeftMs();
            const entries = queue.take(queue.list(), most, BATCH_BYTES - envelopeBytes);
            if (!entries.length) return true;
            if (wait_ms) later(wait_ms);
            if (wait_ms || !platform.isOnline()) return false;
            const answer = await platform.post(host + '/v1/batch', bodyOf(entries));
            if (answer.status >= 200 && answer.status < 300) {
                queue.remove(entries);
                store.remove(PAUSE);
                ring('sent', { events: entries.map(entry => JSON.parse(entry.text)) });
            } else if (answer.status === 413 && entries.length > 1) {
                most = Math.ceil(entries.length / 2);
            } else if (FOR_EVER.includes(answer.status)) {
                queue.drop(entries, answer.status);
                most = BATCH_EVENTS;
            } else {
                rest(answer, keep);
                return false;
            }
        }
    }

    /** @returns {Promise<boolean>} */
    function flush() {
        clearTimeout(timer);
        timerAt = Infinity;
        if (!running) {
            running = platform.alone(sendAll).catch(() => false).then(isEmpty => {
                running = null;
                return isEmpty;
            });
        }
        return running;
    }

    return {
        flush,
        soon() {
            later(queue.list().length >= flushAt ? 0 : flushAfterMs);
        },
        part() {
            settle();
            const mine = queue.list().filter(entry => entry.isMine && entry.key > parted);
            const entries = queue.take(mine, BATCH_EVENTS, PARTING_BYTES - envelopeBytes);
            if (!entries.length) return;
            parted = entries[entries.length - 1].key;
            const url = `${host}/beacon/v1/batch?writeKey=${encodeURIComponent(options.writeKey)}`;
            platform.beacon(url, bodyOf(entries));
        },
        /** The network is back: a pause that the network alone caused is over. */
        online() {
            if (pause().status === 0) store.remove(PAUSE);
            flush();
        },
    };
}
