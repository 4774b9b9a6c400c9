/* souk.js - the classic script.  Until it is there, window.souk is a list of calls: they are made now. */
import { souk } from './index.js';

if (!window.souk || Array.isArray(window.souk)) {
    const early = window.souk || [];
    window.souk = souk;
    early.forEach(souk.push);
}
