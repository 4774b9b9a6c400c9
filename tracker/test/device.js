/* device.js - a platform without a browser: storage that several tabs share, fetch of node, short pauses. */
import { webcrypto } from 'node:crypto';
import { makeTracker } from '../src/core.js';

/* A closed page has no timers; here its long ones at least do not keep node from ending. */
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = (work, wait_ms, ...words) => {
    const timer = setTimer(work, wait_ms, ...words);
    if (wait_ms > 5000) timer.unref();
    return timer;
};

/** What the tabs of one browser share.  With locks, one at a time works. */
export function makeDevice({ hasLocks = true, isBlocked = false, quota = Infinity } = {}) {
    const kept = new Map();
    let line = Promise.resolve();
    const check = () => {
        if (isBlocked) throw new Error('storage is blocked');
    };
    return {
        kept,
        backing: {
            get: key => (check(), kept.has(key) ? kept.get(key) : null),
            set(key, text) {
                check();
                if (kept.size >= quota && !kept.has(key)) throw new Error('storage is full');
                kept.set(key, text);
            },
            remove: key => (check(), void kept.delete(key)),
            keys: () => (check(), [...kept.keys()]),
        },
        alone(work) {
            if (!hasLocks) return work();
            const done = line.then(work);
            line = done.catch(() => {});
            return done;
        },
    };
}

/** A page of that device; close() is its end: nothing of it runs afterwards. */
export function openTab(device, { random = randomId, chance = () => 0.01, gpc = false, patience_ms = 8000 } = {}) {
    let hooks = {};
    const tab = { isOnline: true, dropped: [], sent: [], errors: [], isOpen: true };
    const platform = {
        backing: device.backing,
        random,
        chance,
        gpc: () => gpc,
        context: () => ({ page: { url: 'https://shop.example/a?b=c', path: '/a', search: '?b=c' }, userAgent: 'test' }),
        isOnline: () => tab.isOnline && tab.isOpen,
        async post(url, body) {
            const headers = { 'Content-Type': 'text/plain' };
            try {
                const signal = AbortSignal.timeout(patience_ms);
                const answer = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal });
                await answer.text();
                if (!tab.isOpen) return await new Promise(() => {});
                return { status: answer.status, retryAfter: answer.headers.get('retry-after') };
            } catch (error) {
                if (!tab.isOpen) return await new Promise(() => {});
                return { status: 0 };
            }
        },
        beacon: (url, body) => void fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } }).catch(() => {}),
        // a lock is free when its page is gone
        alone: work => device.alone(() => Promise.race([work(), tab.closed])),
        watch: on => (hooks = on),
    };
    tab.closed = new Promise(resolve => (tab.end = () => resolve(false)));
    tab.souk = makeTracker(platform);
    tab.souk.on('dropped', notice => tab.dropped.push(notice));
    tab.souk.on('sent', notice => tab.sent.push(...notice.events));
    tab.souk.on('error', notice => tab.errors.push(notice));
    tab.hide = () => hooks.part();
    tab.online = isOnline => {
        tab.isOnline = isOnline;
        if (isOnline) hooks.online();
    };
    tab.close = () => {
        tab.isOpen = false;
        tab.end();
    };
    return tab;
}

export function randomId() {
    return [...webcrypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Waits until holds() is true; a test that waits for ever fails with what it waited for. */
export async function until(holds, what = holds, patience_ms = 20000) {
    const end = Date.now() + patience_ms;
    while (!(await holds())) {
        if (Date.now() > end) throw new Error(`never: ${what}`);
        await new Promise(resolve => setTimeout(resolve, 5));
    }
}

/** Numbers that are the same at each run of one seed (xorshift32). */
export function seeded(seed) {
    let state = seed | 1;
    return most => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>> 0) % most;
    };
}
