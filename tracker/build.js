/* build.js - src/ becomes dist/: souk.js (classic script), souk.mjs (module), souk-mini.js (CommonJS). */
import { buildSync } from 'esbuild';

const common = { bundle: true, minify: true, legalComments: 'none', logLevel: 'warning' };

buildSync({ ...common, entryPoints: ['src/souk.js'], outfile: 'dist/souk.js', format: 'iife', target: 'es2018' });
buildSync({ ...common, entryPoints: ['src/index.js'], outfile: 'dist/souk.mjs', format: 'esm', target: 'es2018' });
buildSync({ ...common, entryPoints: ['src/souk-mini.js'], outfile: 'dist/souk-mini.js', format: 'cjs', target: 'es2017' });
