/* shop.js - the words of a shop: each helper is a track call, and its name is the event's name.
 *
 *     souk.orderCompleted(order)      is      souk.track('Order Completed', order)
 *     souk.productsSearched('shoes')  is      souk.track('Products Searched', {query: 'shoes'}) */

const WORDS = [
    'productsSearched', 'productListViewed', 'productClicked', 'productViewed', 'productAdded',
    'productRemoved', 'cartViewed', 'checkoutStarted', 'paymentInfoEntered', 'orderCompleted',
    'orderRefunded', 'orderCancelled', 'couponApplied', 'promotionViewed', 'promotionClicked',
    'storeEntered',
];

/**
 * @param {import('../souk').Souk['track']} track
 * @returns {import('../souk').Helpers}
 */
export function makeHelpers(track) {
    /** @type {{[word: string]: any}} */
    const helpers = {};
    for (const word of WORDS) {
        const event = word[0].toUpperCase() + word.slice(1).replace(/[A-Z]/g, ' $&');
        helpers[word] = (/** @type {any} */ told, /** @type {any} */ options) =>
            track(event, typeof told === 'string' ? { query: told } : told, options);
    }
    return /** @type {any} */ (helpers);
}
