/* rudder_node.js - @rudderstack/rudder-sdk-node.  Given up: the callback of the call has an error.  The errorHandler is
 * no ornament: without one a refused batch is an unhandled rejection, which ends the process ("errorHandler":null). */
'use strict';
const RudderAnalytics = require('@rudderstack/rudder-sdk-node');
const { run, callOf } = require('./pace');

run('rudder-node', '@rudderstack/rudder-sdk-node', (host, key, options) => {
    const errorHandler = options.errorHandler === null ? undefined : () => {};
    const quick = { flushInterval: 200, logLevel: 'none' };
    const client = new RudderAnalytics(key, { dataPlaneUrl: host, ...quick, ...options, errorHandler });
    return {
        send: (event, done) => client[event.type](callOf(event), done),
        flush: () => client.flush(),
    };
});
