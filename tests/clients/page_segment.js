/* page_segment.js - runs in the shop's page: @segment/analytics-next, settings from Souk.  It says which events it gives
 * up by its event "error" (code delivery_failure), but only with the standard delivery; with batching it is silent. */
const { host, key, options } = JSON.parse(document.body.dataset.setting);
const givenUp = [];

async function load() {
    const { AnalyticsBrowser } = window.AnalyticsNext;
    const [analytics] = await AnalyticsBrowser.load(
        { writeKey: key, cdnURL: host },
        { integrations: { 'Segment.io': { apiHost: host.replace('http://', '') + '/v1', protocol: 'http', ...options } } });
    analytics.on('error', ({ ctx }) => givenUp.push((ctx.event.properties || {}).n ?? ctx.event.traits.n));
    window.analytics = analytics;
    return true;
}

window.shop = {
    ready: load(),
    givenUp: () => givenUp,
    say({ type, event, name, user, traits, properties }) {
        if (type === 'identify')
            window.analytics.identify(user, traits);
        else if (type === 'page')
            window.analytics.page(name, properties);
        else
            window.analytics.track(event, properties);
    },
};
