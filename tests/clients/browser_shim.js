// browser_shim.js - as much of a browser as the Sensors web SDK touches, over node's own http: no page is drawn.
"use strict";
const http = require("http");

function request(method, url, headers, body, done) {
  const length = body ? { "Content-Length": Buffer.byteLength(body) } : {};
  const sent = http.request(new URL(url), { method, headers: { ...headers, ...length } }, (answer) => {
    const parts = [];
    answer.on("data", (part) => parts.push(part));
    answer.on("end", () => done(null, answer, Buffer.concat(parts)));
  });
  sent.on("error", (error) => done(error));
  if (body) sent.write(body);
  sent.end();
}

/** A window at `url`; `seen` hears of every request: {way, method, url, status, body}. */
function open(url, seen) {
  const cookies = new Map();
  const stored = new Map();
  const nothing = () => undefined;
  const element = () => ({
    style: {}, setAttribute: nothing, getAttribute: () => null, appendChild: nothing, addEventListener: nothing,
    removeChild: nothing, getElementsByTagName: () => [], parentNode: null, tagName: "DIV",
  });
  const storage = {
    getItem: (key) => (stored.has(key) ? stored.get(key) : null),
    setItem: (key, value) => stored.set(key, String(value)),
    removeItem: (key) => stored.delete(key),
    key: (index) => [...stored.keys()][index] ?? null,
    get length() { return stored.size; },
  };
  const location = new URL(url);
  const document = {
    location, referrer: "", title: "Green tea", documentElement: element(), body: element(), readyState: "complete",
    visibilityState: "visible", charset: "UTF-8", head: element(),
    createElement: (name) => (name === "img" ? new Image() : Object.assign(element(), { href: "" })),
    getElementsByTagName: () => [element()], getElementById: () => null, querySelector: () => null,
    querySelectorAll: () => [], addEventListener: nothing, removeEventListener: nothing,
    get cookie() { return [...cookies].map(([name, value]) => `${name}=${value}`).join("; "); },
    set cookie(text) {
      const [pair, ...rest] = text.split(";");
      const [name, ...value] = pair.split("=");
      if (rest.some((part) => /expires=.*1970/i.test(part))) cookies.delete(name.trim());
      else cookies.set(name.trim(), value.join("="));
    },
  };
  class Image {
    constructor() { Object.assign(this, element()); }
    set src(address) {
      request("GET", address, {}, null, (error, answer, body) => {
        const isImage = !error && answer.statusCode === 200 && body.subarray(0, 6).toString() === "GIF89a";
        seen({ way: "image", method: "GET", url: address, status: answer?.statusCode, isImage });
        if (isImage) this.onload?.();
        else this.onerror?.(); // what a browser does with an answer that is no image
      });
    }
  }
  class XMLHttpRequest {
    constructor() { this.headers = {}; this.readyState = 0; this.status = 0; }
    open(method, address) { this.method = method; this.address = address; }
    setRequestHeader(name, value) { this.headers[name] = value; }
    getResponseHeader() { return null; }
    abort() {}
    send(body) {
      request(this.method, this.address, this.headers, body, (error, answer, text) => {
        this.readyState = 4;
        this.status = error ? 0 : answer.statusCode;
        this.responseText = error ? "" : text.toString();
        seen({ way: "ajax", method: this.method, url: this.address, status: this.status, body });
        this.onreadystatechange?.();
        if (error) this.onerror?.(error);
        else this.onload?.();
      });
    }
  }
  XMLHttpRequest.prototype.withCredentials = true;
  const navigator = {
    userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
    language: "en", appVersion: "5.0", platform: "Linux x86_64", cookieEnabled: true,
    sendBeacon(address, body) {
      request("POST", address, { "Content-Type": "text/plain;charset=UTF-8" }, body, (error, answer) =>
        seen({ way: "beacon", method: "POST", url: address, status: answer?.statusCode, body }));
      return true;
    },
  };
  const history = { pushState: nothing, replaceState: nothing };
  const window = Object.assign(globalThis, {
    location, document, Image, XMLHttpRequest, history, localStorage: storage, sessionStorage: storage,
    screen: { width: 1920, height: 1080 }, innerWidth: 1200, innerHeight: 800, pageXOffset: 0, pageYOffset: 0,
    addEventListener: nothing, removeEventListener: nothing, getComputedStyle: () => ({}), devicePixelRatio: 1,
  });
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
  window.window = window.top = window.self = window.parent = window;
  return window;
}

module.exports = { open, request };
