/* queue.js - the events that wait to be sent, the oldest first; all tabs of a shop share one queue.
 *
 * An event is one text of the store.  Its key tells what bounds and order need, so that they are kept
 * without reading the events:
 *
 *     souk.q.0mk3x9q2z.9f3a60c1.412.c
 *            |         |        |   c: rests on consent, s: on contract or law (an order, a withdrawal)
 *            |         |        bytes as UTF-8
 *            |         the tab that made it
 *            milliseconds since 1970 in base 36, never the same twice in one tab
 *
 * Bounds   1,000 events and 2 MB; the oldest goes first and is reported
 * Tabs     whoever holds the lock sends from it (sender.js); there is no queue of a dead tab to look after */

/** @typedef {import('./types').Entry} Entry */

const PREFIX = 'souk.q.';
const MOST_EVENTS = 1000;
const MOST_BYTES = 2000000;

/** @param {string} text */
export function utf8Bytes(text) {
    let bytes = 0;
    for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        const isHalf = unit >= 0xd800 && unit < 0xe000; // half of a character of four bytes
        bytes += unit < 0x80 ? 1 : unit < 0x800 || isHalf ? 2 : 3;
    }
    return bytes;
}

/**
 * @param {import('./types').Store} store
 * @param {string} tab
 * @param {(entries: Entry[], reason: import('../souk').DropReason) => void} dropped
 */
export function makeQueue(store, tab, dropped) {
    let last = 0;

    /** @returns {Entry[]} without their texts, the oldest first */
    function list() {
        const keys = store.keys().filter(key => key.startsWith(PREFIX));
        return keys.sort().map(key => {
            const [, , , from, bytes, basis] = key.split('.');
            return { key, text: '', isMine: from === tab, bytes: Number(bytes), basis };
        });
    }

    /** @param {Entry[]} entries */
    function remove(entries) {
        for (const entry of entries) store.remove(entry.key);
    }

    /** @param {Entry[]} entries @param {import('../souk').DropReason} reason */
    function drop(entries, reason) {
        for (const entry of entries) entry.text = entry.text || store.get(entry.key);
        remove(entries);
        if (entries.length) dropped(entries, reason);
    }

    return {
        list,
        remove,
        drop,
        /** @param {string} text @param {string} basis @param {boolean} keep */
        push(text, basis, keep) {
            const bytes = utf8Bytes(text);
            const entries = list();
            let held = entries.reduce((sum, entry) => sum + entry.bytes, 0);
            let over = 0;
            while (entries.length - over >= MOST_EVENTS || held + bytes > MOST_BYTES) {
                held -= entries[over++].bytes;
            }
            drop(entries.slice(0, over), 'full');
            last = Math.max(last + 1, Date.now());
            const when = last.toString(36).padStart(9, '0');
            store.set(PREFIX + [when, tab, bytes, basis].join('.'), text, keep);
        },
        /**
         * The oldest entries, with their texts, that fit.
         * @param {Entry[]} entries @param {number} count @param {number} bytes
         */
        take(entries, count, bytes) {
            const taken = [];
            for (const entry of entries) {
                if (taken.length === count || entry.bytes + 1 > bytes) break;
                bytes -= entry.bytes + 1; // and its comma
                entry.text = store.get(entry.key);
                if (entry.text) taken.push(entry); // else another tab was faster
            }
            return taken;
        },
    };
}
