/* types.d.ts - what the files of src/ promise one another.  What a shop sees is in ../souk.d.ts. */
import type { CallOptions, Context, Notices } from '../souk';

/** Storage as a platform has it; every call may throw. */
export interface Backing {
    get(key: string): string | null;
    set(key: string, text: string): void;
    remove(key: string): void;
    keys(): string[];
}

/** Storage as the tracker uses it (store.js); nothing throws, what is missing is ''. */
export interface Store {
    get(key: string): string;
    set(key: string, text: string, keep: boolean): void;
    remove(key: string): void;
    keys(): string[];
}

/** An event in the queue (queue.js). */
export interface Entry {
    key: string;
    text: string;
    isMine: boolean;
    bytes: number;
    basis: string;
}

/** status 0: no answer came. */
export interface Answer {
    status: number;
    retryAfter?: string | null;
}

/** What a browser and a mini program do differently. */
export interface Platform {
    backing: Backing;
    /** The anonymousId in a cookie, where there are cookies. */
    cookie?(domain?: string): Backing;
    /** 128 random bits as 32 hex digits. */
    random(): string;
    /** 0 to 1: the jitter of pauses. */
    chance(): number;
    gpc(): boolean;
    context(): Context;
    isOnline(): boolean;
    /** Never rejects. */
    post(url: string, body: string): Promise<Answer>;
    /** Sends without an answer while the page goes away. */
    beacon(url: string, body: string): void;
    /** Runs work while no other tab runs its own. */
    alone(work: () => Promise<boolean>): Promise<boolean>;
    /** Tells the sender when the page goes away, the program rests, or the network is back. */
    watch(on: { part(): void; flush(): unknown; online(): void }): void;
    /** Tells each change of the page's address, where pages change without a load. */
    watchPages?(changed: () => void): void;
}

export type Ring = <Name extends keyof Notices>(name: Name, notice: Notices[Name]) => void;

export type Extra = CallOptions;

declare global {
    const wx: any, my: any, getCurrentPages: any; // of WeChat and Alipay
}
