/* souk.d.ts - the tracker as a shop's pages see it.  README.md tells each call with an example. */

/** Purposes and answers: only `true` is yes. */
export type Choices = { [purpose: string]: boolean };

export interface LoadOptions {
    /** Of a source of yours: `souk key new web`.  It may be public: it can only write. */
    writeKey: string;
    /** Where Souk listens: 'https://souk.shop.example'. */
    host: string;
    /** 'required' (default): wait for consent.set.  Choices: the shopper was asked before this page. */
    consent?: 'required' | Choices;
    /** Names of events that rest on contract or law and go out without consent: ['Order Completed']. */
    serve?: string[];
    /** true: the server saw `Sec-GPC: 1`.  The browser's own signal counts without it. */
    gpc?: boolean;
    /** Sends page() at load and at each change of the address. */
    autoPage?: boolean;
    /** Where the anonymousId is kept; 'storage' (default) is localStorage. */
    anonymousId?: 'storage' | 'cookie';
    /** With 'cookie': 'shop.example', so that checkout.shop.example knows her, too. */
    cookieDomain?: string;
    /** Events that make a batch go at once (20). */
    flushAt?: number;
    /** How long an event waits for others (1,000 ms). */
    flushAfterMs?: number;
}

export interface Context {
    page?: { url: string; path: string; title?: string; referrer?: string; search: string };
    locale?: string;
    timezone?: string;
    screen?: { width: number; height: number };
    userAgent?: string;
    campaign?: { name?: string; source?: string; medium?: string; term?: string; content?: string };
    library?: { name: string; version: string };
    consent?: { categoryPreferences: Choices; gpc?: boolean };
}

export type EventType = 'identify' | 'track' | 'page' | 'group' | 'alias';

/** An event as it is sent. */
export interface SoukEvent {
    type: EventType;
    event?: string;
    name?: string;
    messageId: string;
    anonymousId?: string;
    userId?: string;
    previousId?: string;
    groupId?: string;
    timestamp: string;
    properties?: Properties;
    traits?: Properties;
    context: Context;
}

export type Properties = { [name: string]: unknown };

/** Of one call, rarely needed. */
export interface CallOptions {
    /** Your own name for this fact: a repeat of it counts once, for ever. */
    messageId?: string;
    /** When it happened, if not now. */
    timestamp?: Date | string | number;
}

/** Money is a number or, to be exact, a text: 12.5 or '12.50'. */
export type Money = number | string;

export interface Product extends Properties {
    product_id?: string;
    sku?: string;
    name?: string;
    brand?: string;
    category?: string;
    variant?: string;
    price?: Money;
    currency?: string;
    quantity?: number | string;
    coupon?: string;
    position?: number;
    url?: string;
    image_url?: string;
}

export interface Cart extends Properties {
    cart_id?: string;
    products?: Product[];
}

export interface Checkout extends Properties {
    order_id?: string;
    checkout_id?: string;
    value?: Money;
    affiliation?: string;
    subtotal?: Money;
    total?: Money;
    revenue?: Money;
    shipping?: Money;
    tax?: Money;
    discount?: Money;
    coupon?: string;
    currency?: string;
    products?: Product[];
}

export interface Order extends Checkout {
    order_id: string;
}

/** 'full': the queue is.  'size': above 32 KB.  'consent': refused.  'invalid': no JSON can say it.
 *  A number: the server's answer. */
export type DropReason = 'full' | 'size' | 'consent' | 'invalid' | number;

export interface Notices {
    sent: { events: SoukEvent[] };
    /** total: dropped since the page began. */
    dropped: { events: SoukEvent[]; reason: DropReason; total: number };
    error: { message: string; status?: number };
}

type Helper<T> = (properties: T, options?: CallOptions) => void;

export interface Helpers {
    productsSearched: Helper<string | Properties>;
    productListViewed: Helper<Properties & { list_id?: string; category?: string; products?: Product[] }>;
    productClicked: Helper<Product>;
    productViewed: Helper<Product>;
    productAdded: Helper<Product>;
    productRemoved: Helper<Product>;
    cartViewed: Helper<Cart>;
    checkoutStarted: Helper<Checkout>;
    paymentInfoEntered: Helper<Properties>;
    orderCompleted: Helper<Order>;
    orderRefunded: Helper<Order>;
    orderCancelled: Helper<Order>;
    couponApplied: Helper<Properties & { coupon_id?: string; coupon_name?: string; order_id?: string }>;
    promotionViewed: Helper<Properties & { promotion_id?: string }>;
    promotionClicked: Helper<Properties & { promotion_id?: string }>;
    storeEntered: Helper<Properties & { store_id: string }>;
}

export interface Souk extends Helpers {
    load(options: LoadOptions): void;
    identify(userId: string | null, traits?: Properties, options?: CallOptions): void;
    track(event: string, properties?: Properties, options?: CallOptions): void;
    page(name?: string, properties?: Properties, options?: CallOptions): void;
    group(groupId: string, traits?: Properties, options?: CallOptions): void;
    /** userId was known as previousId until now; without it, as the anonymousId of this device. */
    alias(userId: string, previousId?: string, options?: CallOptions): void;
    /** Log-out: the next event is somebody else's. */
    reset(): void;
    consent: {
        /** null: not asked yet. */
        get(): Choices | null;
        /** What is not named stays as it was. */
        set(choices: Choices): void;
    };
    /** Sends what waits.  true: nothing is left; false: the rest will be tried again. */
    flush(): Promise<boolean>;
    /** Calls listener at each notice, until the answer is called. */
    on<Name extends keyof Notices>(name: Name, listener: (notice: Notices[Name]) => void): () => void;
    /** As before the script was there: ['track', 'Product Viewed', {…}], or a function that is handed souk. */
    push(call: unknown[] | ((souk: Souk) => void)): void;
}

export const souk: Souk;
export default souk;

declare global {
    interface Window {
        souk: Souk | Array<unknown[] | ((souk: Souk) => void)>;
    }
}
