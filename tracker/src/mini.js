/* mini.js - what the tracker needs of a mini program: `wx` of WeChat or `my` of Alipay.
 *
 * Both are told by callbacks and differ in little: the names of headers and of the status, storage that takes
 * and gives an object (Alipay), an answer that is no success given to `fail` (Alipay, error 19). */

/** @typedef {import('./types').Platform} Platform */

const ANSWER_MS = 15000;

/** @param {any} wx @returns {import('./types').Backing} */
const wechatStore = wx => ({
    get: key => wx.getStorageSync(key),
    set: (key, text) => wx.setStorageSync(key, text),
    remove: key => wx.removeStorageSync(key),
    keys: () => wx.getStorageInfoSync().keys,
});

/** @param {any} my @returns {import('./types').Backing} */
const alipayStore = my => ({
    get: key => my.getStorageSync({ key }).data,
    set(key, data) {
        const answer = my.setStorageSync({ key, data });
        if (answer && answer.error) throw new Error(answer.errorMessage);
    },
    remove: key => my.removeStorageSync({ key }),
    keys: () => my.getStorageInfoSync().keys,
});

/** @param {{[name: string]: unknown}} query */
function textOf(query) {
    const pairs = Object.keys(query || {}).map(name => name + '=' + query[name]);
    return pairs.length ? '?' + pairs.join('&') : '';
}

/** The page on top; none while the program starts. @param {() => any[]} pages */
function pageOf(pages) {
    const page = pages().slice(-1)[0];
    if (!page) return undefined;
    const path = '/' + page.route;
    const search = textOf(page.options);
    return { url: path + search, path, search };
}

/** @param {any} api @returns {import('../souk').Context['campaign']} */
function campaignOf(api) {
    const query = (api.getLaunchOptionsSync && api.getLaunchOptionsSync().query) || {};
    const { utm_campaign: name, utm_source: source, utm_medium: medium } = query;
    return name || source || medium ? { name, source, medium } : undefined;
}

/**
 * @param {{wx?: any, my?: any, pages?: () => any[]}} globals
 * @returns {Platform}
 */
export function makeMini({ wx, my, pages = () => [] }) {
    const isAlipay = !wx;
    const api = wx || my;
    let isOnline = true;

    return {
        backing: isAlipay ? alipayStore(my) : wechatStore(wx),
        random() {
            let hex = '';
            for (let i = 0; i < 8; i++) hex += Math.floor(65536 + Math.random() * 65536).toString(16).slice(1);
            return hex;
        },
        chance: Math.random,
        gpc: () => false,
        context() {
            const { windowWidth, windowHeight, screenWidth, screenHeight, language } =
                (api.getWindowInfo || api.getSystemInfoSync)() || {};
            return {
                page: pageOf(pages),
                locale: language || (api.getAppBaseInfo && api.getAppBaseInfo().language),
                timezone: typeof Intl === 'object' ? Intl.DateTimeFormat().resolvedOptions().timeZone : undefined,
                screen: { width: screenWidth || windowWidth, height: screenHeight || windowHeight },
                campaign: campaignOf(api),
            };
        },
        isOnline: () => isOnline,
        post: (url, data) => new Promise(resolve => {
            const headers = { 'content-type': 'text/plain' };
            const answer = (/** @type {any} */ got) => {
                const head = got.header || got.headers || {};
                resolve({
                    status: got.statusCode || got.status || 0,
                    retryAfter: head['Retry-After'] || head['retry-after'],
                });
            };
            api.request({
                url, data, method: 'POST', [isAlipay ? 'headers' : 'header']: headers,
                dataType: 'text', timeout: ANSWER_MS, success: answer, fail: answer,
            });
        }),
        beacon() {}, // there is none: what is kept goes when the program is opened again
        alone: work => work(),
        watch(on) {
            if (api.onAppHide) api.onAppHide(() => on.flush());
            if (api.onNetworkStatusChange) {
                api.onNetworkStatusChange((/** @type {any} */ network) => {
                    isOnline = network.isConnected;
                    if (isOnline) on.online();
                });
            }
        },
    };
}
