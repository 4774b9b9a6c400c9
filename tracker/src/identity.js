/* identity.js - who is in front of this page?
 *
 *     identity.who(true)        {anonymousId, userId}: kept on the device, made where there is none
 *     identity.who(false)       the same for this page alone: nothing is kept
 *     identity.login('u1')      from here on this user; another one than before starts a new anonymousId
 *     identity.forget()         nothing of it stays on the device
 *
 * What is kept is read again at every event: a log-out or a refusal in one tab holds in the others, too. */
import { dated, undated } from './store.js';

const ANONYMOUS = 'souk.anonymous';
const USER = 'souk.user';

/**
 * @param {import('./types').Store} store
 * @param {import('./types').Store} jar where the anonymousId is kept: the store, or a cookie
 * @param {() => string} random
 */
export function makeIdentity(store, jar, random) {
    let guest = ''; // the anonymousId of this page, until one may be kept
    let user = ''; // the user of this page, until she may be kept

    function reset() {
        guest = user = '';
        jar.remove(ANONYMOUS);
        store.remove(USER);
    }

    /** @param {boolean} keep */
    function who(keep) {
        if (!keep) return { anonymousId: (guest = guest || random()), userId: user || undefined };
        let anonymousId = undated(jar.get(ANONYMOUS));
        if (!anonymousId) {
            anonymousId = guest || random();
            jar.set(ANONYMOUS, dated(anonymousId), true);
            store.remove(USER);
        }
        if (user) store.set(USER, user, true);
        user = guest = '';
        return { anonymousId, userId: store.get(USER) || undefined };
    }

    return {
        who,
        reset,
        /** @param {string} userId @param {boolean} keep */
        login(userId, keep) {
            const before = who(keep).userId;
            if (before && before !== userId) reset();
            user = userId;
        },
        forget() {
            const stays = user || store.get(USER); // who is logged in is still so until the page ends
            reset();
            user = stays;
        },
    };
}
