/* example.ts - README's example in TypeScript; `npm run check` compiles it. */
import souk, { type Order, type Product } from '../souk';

souk.load({ writeKey: 'souk_wk_…', host: 'https://souk.shop.example', serve: ['Order Completed'], autoPage: true });
souk.consent.set({ profile: true, advertise: false });

const tea: Product = { product_id: '17', name: 'Long Jing', price: '12.50', currency: 'EUR', quantity: 1 };
souk.productViewed(tea);

const order: Order = { order_id: 'A-1', total: '12.50', currency: 'EUR', products: [tea] };
souk.orderCompleted(order, { messageId: 'order A-1' });

const silence = souk.on('dropped', ({ events, reason }) => console.warn(events.length, reason));
souk.flush().then(isEmpty => isEmpty && silence());

// @ts-expect-error: a store has an id
souk.storeEntered({});
// @ts-expect-error: only true and false are answers
souk.consent.set({ profile: 'yes' });
