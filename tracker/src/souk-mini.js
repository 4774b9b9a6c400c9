/* souk-mini.js - `const { souk } = require('./souk-mini.js')` in a mini program of WeChat or Alipay. */
import { makeTracker } from './core.js';
import { makeMini } from './mini.js';

export const souk = makeTracker(makeMini({
    wx: typeof wx === 'object' ? wx : undefined,
    my: typeof my === 'object' ? my : undefined,
    pages: typeof getCurrentPages === 'function' ? getCurrentPages : undefined,
}));
