/* browser.js - what the tracker needs of a page: storage, fetch, beacon, one tab at a time, the address. */

/** @typedef {import('./types').Platform} Platform */

const ANSWER_MS = 15000;
const COOKIE_S = 390 * 24 * 3600; // 13 months at most

/** @type {import('./types').Backing} */
const localStore = {
    get: key => localStorage.getItem(key),
    set: (key, text) => localStorage.setItem(key, text),
    remove: key => localStorage.removeItem(key),
    keys: () => Object.keys(localStorage),
};

/** One cookie a key, of this shop alone. @param {string} [domain] @returns {import('./types').Backing} */
function cookieStore(domain) {
    const place = '; path=/; samesite=lax' + (domain ? '; domain=' + domain : '') +
        (location.protocol === 'https:' ? '; secure' : '');
    /** @param {string} key */
    const get = key => {
        const found = document.cookie.split('; ').find(cookie => cookie.startsWith(key + '='));
        return found ? decodeURIComponent(found.slice(key.length + 1)) : null;
    };
    return {
        get,
        set(key, text) {
            document.cookie = `${key}=${encodeURIComponent(text)}; max-age=${COOKIE_S}${place}`;
            if (get(key) !== text) throw new Error('cookies are blocked');
        },
        remove(key) {
            document.cookie = `${key}=; max-age=0${place}`;
        },
        keys: () => [],
    };
}

/** @returns {Platform} */
export function makeBrowser() {
    let before = ''; // the address that this one was reached from, where pages change without a load
    let here = '';

    /** @param {string} search @returns {import('../souk').Context['campaign']} */
    function campaignOf(search) {
        const query = new URLSearchParams(search);
        /** @type {{[name: string]: string}} */
        const campaign = {};
        for (const name of ['campaign', 'source', 'medium', 'term', 'content']) {
            const value = query.get('utm_' + name);
            if (value) campaign[name === 'campaign' ? 'name' : name] = value;
        }
        return Object.keys(campaign).length ? campaign : undefined;
    }

    return {
        backing: localStore,
        cookie: cookieStore,
        random() {
            const bytes = crypto.getRandomValues(new Uint8Array(16));
            return [...bytes].map(byte => (byte + 256).toString(16).slice(1)).join('');
        },
        chance: Math.random,
        gpc: () => /** @type {any} */ (navigator).globalPrivacyControl === true,
        context() {
            const { origin, pathname, search } = location;
            return {
                page: {
                    url: origin + pathname + search,
                    path: pathname,
                    title: document.title,
                    referrer: before || document.referrer,
                    search,
                },
                locale: navigator.language,
                timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
                screen: { width: screen.width, height: screen.height },
                userAgent: navigator.userAgent,
                campaign: campaignOf(search),
            };
        },
        isOnline: () => navigator.onLine !== false,
        async post(url, body) {
            const abort = new AbortController();
            const timer = setTimeout(() => abort.abort(), ANSWER_MS);
            try {
                // text/plain: no preflight.  A redirect would be counted as success: an error instead.
                const answer = await fetch(url, {
                    method: 'POST', body, credentials: 'omit', redirect: 'error', signal: abort.signal,
                    headers: { 'Content-Type': 'text/plain' },
                });
                return { status: answer.status, retryAfter: answer.headers.get('retry-after') };
            } catch (error) {
                return { status: 0 };
            } finally {
                clearTimeout(timer);
            }
        },
        beacon(url, body) {
            if (navigator.sendBeacon && navigator.sendBeacon(url, body)) return;
            fetch(url, { method: 'POST', body, credentials: 'omit', keepalive: true }).catch(() => {});
        },
        alone(work) {
            if (!navigator.locks) return work();
            /** @type {Promise<any>} */
            const done = navigator.locks.request('souk', work);
            return done.catch(work); // a sandbox refuses locks
        },
        watch(on) {
            addEventListener('pagehide', on.part);
            document.addEventListener('visibilitychange', () => {
                if (document.visibilityState === 'hidden') on.part();
            });
            addEventListener('online', on.online);
        },
        watchPages(changed) {
            here = location.href;
            const look = () => {
                const [from, to] = [here, location.href];
                here = to;
                if (from.split('#')[0] === to.split('#')[0]) return;
                before = from;
                setTimeout(changed); // the new page sets its title first
            };
            for (const name of /** @type {const} */ (['pushState', 'replaceState'])) {
                const original = history[name];
                history[name] = (...words) => {
                    original.apply(history, words);
                    look();
                };
            }
            addEventListener('popstate', look);
        },
    };
}
