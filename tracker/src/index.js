/* index.js - `import { souk } from 'souk-tracker'` for a shop's own bundle. */
import { makeBrowser } from './browser.js';
import { makeTracker } from './core.js';

export const souk = makeTracker(makeBrowser());
export default souk;
