/* phone.js - a phone with a mini program on it: small shims of `wx` (WeChat) and `my` (Alipay). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const bundle = readFileSync(new URL('../dist/souk-mini.js', import.meta.url), 'utf8');

/** What both have: storage that outlives the program, a request, pages, callbacks. */
export function makePhone() {
    const phone = { kept: new Map(), requests: [], pages: [], hide() {}, network() {} };
    phone.send = (options, headers, answer) => {
        phone.requests.push(options);
        assert.equal(typeof options.data, 'string');
        fetch(options.url, { method: options.method, headers, body: options.data }).then(
            async got => answer(got.status, { 'Retry-After': got.headers.get('retry-after') }, await got.text()),
            () => options.fail({ errMsg: 'request:fail' }));
    };
    return phone;
}

function makeWx(phone) {
    return {
        getStorageSync: key => phone.kept.get(key) ?? '',
        setStorageSync: (key, data) => void phone.kept.set(key, data),
        removeStorageSync: key => void phone.kept.delete(key),
        getStorageInfoSync: () => ({ keys: [...phone.kept.keys()], currentSize: 1, limitSize: 10240 }),
        getWindowInfo: () => ({ screenWidth: 390, screenHeight: 844 }),
        getAppBaseInfo: () => ({ language: 'zh_CN' }),
        getLaunchOptionsSync: () => ({ path: 'pages/tea', query: { utm_source: 'qr', utm_campaign: 'spring' }, scene: 1047 }),
        onAppHide: work => (phone.hide = work),
        onNetworkStatusChange: work => (phone.network = work),
        request: options => phone.send(options, options.header, (statusCode, header, data) =>
            options.success({ statusCode, header, data })),
    };
}

function makeMy(phone) {
    return {
        getStorageSync: ({ key }) => ({ data: phone.kept.get(key) ?? null, success: true }),
        setStorageSync: ({ key, data }) => phone.isFull ? { error: 11, errorMessage: 'full' } : void phone.kept.set(key, data),
        removeStorageSync: ({ key }) => void phone.kept.delete(key),
        getStorageInfoSync: () => ({ keys: [...phone.kept.keys()] }),
        getSystemInfoSync: () => ({ screenWidth: 360, screenHeight: 780, language: 'zh-Hans' }),
        onAppHide: work => (phone.hide = work),
        onNetworkStatusChange: work => (phone.network = work),
        request: options => phone.send(options, options.headers, (status, headers, data) => {
            if (status >= 200 && status < 300) options.success({ status, headers, data });
            else options.fail({ error: 19, errorMessage: 'http status error', status, headers });
        }),
    };
}

export const KINDS = [['WeChat', 'wx', makeWx], ['Alipay', 'my', makeMy]];

/** Starts the program on a phone: as each start of a mini program, with nothing but what was kept. */
export function startProgram(phone, global, make) {
    const module = { exports: {} };
    const globals = { [global]: make(phone), getCurrentPages: () => phone.pages };
    vm.runInNewContext(bundle, { module, exports: module.exports, setTimeout, clearTimeout, console, Intl, ...globals });
    return module.exports.souk;
}
