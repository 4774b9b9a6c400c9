/* segment_node.js - @segment/analytics-node.  Given up: the callback of the call has an error (the same is emitted as
 * 'error', code delivery_failure; without either, nobody is told). */
'use strict';
const { Analytics } = require('@segment/analytics-node');
const { run, callOf } = require('./pace');

run('segment-node', '@segment/analytics-node', (host, key, options) => {
    const client = new Analytics({ writeKey: key, host, flushInterval: 200, ...options });
    return {
        send: (event, done) => client[event.type](callOf(event), done),
        flush: () => {}, // after flushInterval by itself
    };
});
