/* size.js - how large are the bundles on the wire?  Fails above 5,000 bytes gzipped. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const MOST_BYTES = 5000;

for (const name of ['souk.js', 'souk.mjs', 'souk-mini.js']) {
    const plain = readFileSync(new URL('dist/' + name, import.meta.url));
    const bytes = gzipSync(plain, { level: 9 }).length;
    console.log(`${name}: ${bytes} bytes gzipped (${plain.length} plain), at most ${MOST_BYTES}`);
    if (bytes > MOST_BYTES) process.exitCode = 1;
}
