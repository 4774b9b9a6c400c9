/* analytics_node.js - analytics-node, the client before @segment/analytics-node, still found in shops.  Given up: the
 * callback of the call has an error.  Without an errorHandler a refused batch ends the process ("errorHandler":null). */
'use strict';
const Analytics = require('analytics-node');
const { run, callOf } = require('./pace');

run('analytics-node', 'analytics-node', (host, key, options) => {
    const errorHandler = options.errorHandler === null ? undefined : () => {};
    const client = new Analytics(key, { host, flushInterval: 200, ...options, errorHandler });
    return {
        send: (event, done) => client[event.type](callOf(event), done),
        flush: () => client.flush(),
    };
});
