/* page_rudder.js - runs in the shop's page: @rudderstack/analytics-js, the build with all plugins inside, source
 * configuration from Souk.  Its console says "The event(s) will be dropped.", and not which. */
import { RudderAnalytics } from '/client.mjs';

const { host, key, options } = JSON.parse(document.body.dataset.setting);
const analytics = new RudderAnalytics();

function load() {
    return new Promise((resolve) => {
        analytics.load(key, host, { configUrl: host, integrations: { All: false }, logLevel: 'NONE', ...options });
        analytics.ready(() => resolve(true));
        setTimeout(() => resolve(false), 5000);
    });
}

/* How many events its queues hold; they lie in localStorage, as JSON in JSON. */
function waiting() {
    const queues = Object.keys(localStorage).filter((key) => /\.(queue|batchQueue|inProgress)$/.test(key));
    const held = queues.map((key) => JSON.parse(JSON.parse(localStorage.getItem(key))));
    return held.reduce((sum, queue) => sum + Object.keys(queue).length, 0);
}

window.shop = {
    ready: load(),
    givenUp: () => [],
    waiting,
    say({ type, event, name, user, traits, properties }) {
        if (type === 'identify')
            analytics.identify(user, traits);
        else if (type === 'page')
            analytics.page(name, properties);
        else
            analytics.track(event, properties);
    },
};
