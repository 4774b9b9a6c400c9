/* store.js - small texts by name, kept where the platform lets us and in memory where it does not.
 *
 *     const store = makeStore(platform.backing);
 *     store.set('souk.consent', text, true)      kept on the device
 *     store.set('souk.q.…', text, false)         gone with the page
 *
 * Nothing here throws: storage that is refused, full or broken becomes memory.
 *
 * A dated text is one that may be kept for 13 months at most.  Its time stands in front of it and is
 * never renewed: `1767312000000.<text>`. */

/** @typedef {import('./types').Backing} Backing */
/** @typedef {import('./types').Store} Store */

const THIRTEEN_MONTHS_MS = 390 * 24 * 3600 * 1000;

/** @param {Backing} backing @returns {Store} */
export function makeStore(backing) {
    /** @type {Map<string, string>} */
    const memory = new Map();

    return {
        get(key) {
            if (memory.has(key)) return /** @type {string} */ (memory.get(key));
            try {
                return backing.get(key) || '';
            } catch (error) {
                return '';
            }
        },
        set(key, text, keep) {
            try {
                if (keep) {
                    backing.set(key, text);
                    memory.delete(key);
                    return;
                }
            } catch (error) {
                // blocked or full: memory it is
            }
            memory.set(key, text);
        },
        remove(key) {
            memory.delete(key);
            try {
                backing.remove(key);
            } catch (error) {
                // blocked: nothing was kept
            }
        },
        keys() {
            try {
                return [...memory.keys(), ...backing.keys()];
            } catch (error) {
                return [...memory.keys()];
            }
        },
    };
}

/** @param {string} text */
export function dated(text) {
    return Date.now() + '.' + text;
}

/** The text, or '' where there is none or it is too old. @param {string} record */
export function undated(record) {
    const dot = record.indexOf('.');
    const age = Date.now() - Number(record.slice(0, dot));
    return dot > 0 && Math.abs(age) < THIRTEEN_MONTHS_MS ? record.slice(dot + 1) : '';
}
