/* consent.js - what did the shopper decide?  The only place of the tracker that answers.
 *
 *     consent.allows()                       may behaviour be collected?  Yes only where profile is yes
 *     consent.get()                          {profile: true, advertise: false}, or null: not asked yet
 *     consent.change({profile: true})        true where this says something new
 *     consent.statement()                    what goes along with each event as context.consent
 *
 * Default is no, and only `true` is yes.  Global Privacy Control is a refusal of advertise and of every
 * share, whatever else is said while it is on; a decision that was made under it stays after it is off, until
 * the shopper herself says yes again. */
import { dated, undated } from './store.js';

/** @typedef {import('../souk').Choices} Choices */

const KEY = 'souk.consent';

/**
 * @param {import('./types').Store} store
 * @param {boolean} gpc
 */
export function makeConsent(store, gpc) {
    /** @param {Choices} choices @returns {Choices} */
    function underGpc(choices) {
        if (!gpc) return choices;
        /** @type {Choices} */
        const answer = { ...choices, advertise: false, share: false };
        for (const purpose in answer) if (purpose.startsWith('share')) answer[purpose] = false;
        return answer;
    }

    /** @returns {Choices | null} */
    function get() {
        const text = undated(store.get(KEY));
        try {
            return text ? underGpc(JSON.parse(text)) : null;
        } catch (error) {
            return null;
        }
    }

    return {
        get,
        allows: () => (get() || {}).profile === true,
        statement: () => ({ categoryPreferences: get() || underGpc({}), ...(gpc ? { gpc } : {}) }),
        /** @param {Choices} choices */
        change(choices) {
            const before = get();
            /** @type {Choices} */
            const after = { ...before };
            for (const purpose in choices) after[purpose] = choices[purpose] === true;
            const text = JSON.stringify(underGpc(after));
            if (text === undated(store.get(KEY))) return false;
            store.set(KEY, dated(text), true);
            return true;
        },
    };
}
