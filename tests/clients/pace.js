/* pace.js - sends the events of one server client and tells what became of them.
 *
 *     run('segment-node', '@segment/analytics-node', (host, key, options) => ({
 *         send(event, done) { … },        done(err): the client is through with it; err: it gave the event up
 *         flush() { … },                  what still waits for company goes now
 *     }));
 *
 * The command is `node CLIENT.js HOST KEY COUNT [OPTIONS]`, OPTIONS the client's own, as JSON.  It prints one line,
 * {"client":…,"version":…,"sent":…,"given_up":[n…]}.  At most WINDOW events wait in the client at a time, as in a shop
 * whose orders do not all come in the same second. */
'use strict';
const fs = require('fs'), path = require('path');
const { eventsOf } = require('./events');

const WINDOW = 300;

function versionOf(name) {
    return JSON.parse(fs.readFileSync(path.join(__dirname, 'node_modules', name, 'package.json'))).version;
}

function argumentsOf() {
    const [host, key, count, options] = process.argv.slice(2);
    return { host, key, count: Number(count), options: JSON.parse(options || '{}') };
}

function tell(client, name, sent, givenUp, more) {
    const line = { client, version: versionOf(name), sent, given_up: givenUp.sort((a, b) => a - b), ...more };
    fs.writeSync(1, JSON.stringify(line) + '\n');
}

/* The fields of a call on a server, where the user is known from the start. */
function callOf(event) {
    const { type, user, n, known, ...fields } = event;
    return { userId: user, ...fields };
}

async function run(client, name, open) {
    const { host, key, count, options } = argumentsOf();
    const adapter = open(host, key, options), givenUp = [];
    let waiting = 0, wake = () => {};
    const until = async (most) => {
        while (waiting > most)
            await new Promise((resolve) => { wake = resolve; });
    };
    for (const event of eventsOf(client, count)) {
        await until(WINDOW);
        waiting++;
        adapter.send(event, (err) => {
            if (err)
                givenUp.push(event.n);
            waiting--;
            wake();
        });
    }
    while (waiting) {
        await adapter.flush();
        await Promise.race([until(0), new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    tell(client, name, count, givenUp);
    process.exit(0);
}

module.exports = { run, callOf, versionOf, argumentsOf, tell };
