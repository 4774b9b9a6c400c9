"""Web shops that sign their hooks, and the Sensors SDKs as they are: what is stored of them, row by row."""
import base64, hashlib, hmac, http.server, json, os, re, signal, sys, tempfile, threading, time, urllib.request
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import clients
from lib import event, on_file, Shop, story
from proxy import Proxy

VECTOR = b'{"id":820982911946154508,"email":"jon@example.com"}'
VECTOR_SIGNATURE = "D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8="


def sign(secret, body):
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def hook(shop, form, name, secret):
    """`souk hook add`, its secret in a file."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(secret + "\n")
        file.flush()
        return shop.run("hook", "add", form, name, "--secret-file", file.name)


def deliver(shop, form, name, topic, body, secret="hush", **changed):
    body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    prefix = "X-Shopify-" if form == "shopify" else "X-WC-Webhook-"
    headers = {prefix + ("Hmac-Sha256" if form == "shopify" else "Signature"): sign(secret, body), prefix + "Topic": topic,
               "Content-Type": "application/json", **changed}
    return shop.call("POST", f"/v1/hooks/{form}/{name}", body, auth="",
                     headers=[f"{key}: {value}" for key, value in headers.items() if value is not None])[0]


def timeline(shop, kind, value):
    """All of it, oldest first."""
    rows, before = [], ""
    while True:
        status, told = shop.get(f"/v1/shoppers/{kind}/{value}/timeline?limit=1000{before}")
        assert status == 200, (status, told)
        rows += told["events"]
        if not told.get("next_before"):
            return rows[::-1]
        before = f"&before={told['next_before']}"


def names(rows):
    return [row["type"] for row in rows]


def shopify_order(number, email="ann@example.com", **more):
    return {"id": number, "name": f"#{number}", "created_at": "2026-01-02T10:00:00+01:00", "processed_at": "2026-01-02T10:00:00+01:00",
            "updated_at": "2026-01-02T10:00:05+01:00", "currency": "EUR", "total_price": "41.90", "total_tax": "6.69",
            "source_name": "web", "email": email, "cancelled_at": None, "customer": {"id": 17, "email": email},
            "line_items": [{"id": 1, "product_id": 632910392, "sku": "TEA-1", "title": "绿茶", "vendor": "Souk", "price": "20.95",
                            "quantity": 2, "total_discount": "0.00"}], **more}


def woo_order(number, status, email="ann@example.com", **more):
    return {"id": number, "status": status, "currency": "EUR", "date_created_gmt": "2026-01-02T09:00:00",
            "date_modified_gmt": "2026-01-02T09:30:00", "total": "10.00", "total_tax": "1.60", "shipping_total": "0.00",
            "discount_total": "0.00", "customer_id": 26, "billing": {"email": email, "phone": ""}, "refunds": [],
            "line_items": [{"id": 315, "name": "Tea", "product_id": 93, "variation_id": 0, "quantity": 2, "subtotal": "10.00",
                            "total": "10.00", "sku": "T-1", "price": 5}],
            "_links": {"self": [{"href": f"https://shop.example/wp-json/wc/v3/orders/{number}"}]}, **more}


# ---- signed hooks -----------------------------------------------------------------------------------------


@story
def shopify_hooks_become_the_events_of_their_customer():
    with Shop() as shop:
        told = hook(shop, "shopify", "webshop", "hush")
        assert told["path"] == "/v1/hooks/shopify/webshop", told
        shop.start()
        order = shopify_order(1001)
        for topic in ["orders/create", "orders/paid", "orders/updated", "orders/create"]:
            assert deliver(shop, "shopify", "webshop", topic, order) == 200
        refund = {"id": 5, "order_id": 1001, "created_at": "2026-01-03T10:00:00Z",
                  "refund_line_items": [{"quantity": 1, "line_item": {"product_id": 632910392, "price": "20.95"}}],
                  "transactions": [{"kind": "refund", "status": "success", "amount": "20.95", "currency": "EUR"}]}
        assert deliver(shop, "shopify", "webshop", "refunds/create", refund) == 200
        till = shopify_order(1002, source_name="pos", location_id=655441491, processed_at="2026-01-04T10:00:00Z")
        assert deliver(shop, "shopify", "webshop", "orders/create", till) == 200
        redact = {"shop_id": 1, "shop_domain": "a.myshopify.com", "customer": {"id": 17, "email": "ann@example.com", "phone": None}}
        assert deliver(shop, "shopify", "webshop", "customers/redact", redact) == 200
        rows = timeline(shop, "email", "ann@example.com")
        assert sorted(names(rows)) == sorted(["Order Completed", "Order Paid", "Order Updated", "Order Refunded", "Receipt Issued",
                                              "Erasure Requested"]), rows
        by = {row["type"]: row for row in rows}
        done = by["Order Completed"]
        assert (done["at"], done["amount"], done["currency"]) == ("2026-01-02T09:00:00.000Z", "41.9", "EUR"), done
        assert done["lines"] == [{"product": "632910392", "quantity": "2", "amount": "41.9"}], done
        assert done["event"]["properties"]["products"][0]["name"] == "绿茶", done
        assert by["Order Refunded"]["amount"] == "-20.95" and by["Order Refunded"]["lines"][0]["quantity"] == "-1", by
        assert by["Receipt Issued"]["event"]["properties"]["store_id"] == "655441491", by
        assert "within 30 days" in by["Erasure Requested"]["event"]["properties"]["words"], by
        assert shop.get("/v1/rejects")[1]["count"] == 0
        profile = shop.get("/v1/shoppers/email/ann@example.com/profile")[1]
        assert profile["orders"] == 2, profile
        assert names(timeline(shop, "open", "shopify:customer:17")) == names(rows)


@story
def woocommerce_hooks_count_an_order_once_through_all_its_states():
    with Shop() as shop:
        hook(shop, "woocommerce", "woo", "hush")
        shop.start()
        refunds = [{"id": 9, "reason": "broke", "total": "-2.50"}]
        for topic, body in [("order.created", woo_order(7, "pending")), ("order.updated", woo_order(7, "processing")),
                            ("order.updated", woo_order(7, "completed", date_paid_gmt="2026-01-02T09:10:00")),
                            ("order.updated", woo_order(7, "completed", date_paid_gmt="2026-01-02T09:10:00", refunds=refunds)),
                            ("order.updated", woo_order(7, "completed", date_paid_gmt="2026-01-02T09:10:00", refunds=refunds)),
                            ("order.created", woo_order(8, "processing"))]:
            assert deliver(shop, "woocommerce", "woo", topic, body) == 200, topic
        rows = timeline(shop, "email", "ann@example.com")
        assert sorted(names(rows)) == ["Order Completed", "Order Completed", "Order Created", "Order Refunded"] + ["Order Updated"] * 3, names(rows)
        assert sum(Decimal(row.get("amount", 0)) for row in rows) == Decimal("17.5"), rows
        assert shop.get("/v1/rejects")[1]["count"] == 0
        # as class-wc-webhook.php sends it: HTTP/1.0, and the ping that must hear 200
        body = json.dumps(woo_order(9, "processing")).encode()
        head = ("POST /v1/hooks/woocommerce/woo HTTP/1.0\r\nHost: souk\r\nUser-Agent: WooCommerce/9 Hookshot (WordPress/6)\r\n"
                "X-WC-Webhook-Source: https://shop.example/\r\nX-WC-Webhook-Topic: order.created\r\nX-WC-Webhook-Resource: order\r\n"
                f"X-WC-Webhook-Event: created\r\nX-WC-Webhook-Signature: {sign('hush', body)}\r\nX-WC-Webhook-ID: 3\r\n"
                f"X-WC-Webhook-Delivery-ID: abc\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        answer = shop.raw(head + body, 20)  # the server closes: nothing says that the connection goes on
        assert answer.split(b" ")[1] == b"200" and b"connection: close" in answer.lower(), answer
        ping = b"POST /v1/hooks/woocommerce/{} HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\nwebhook_id=3"
        assert shop.raw(ping.replace(b"{}", b"woo"), 20).split(b" ")[1] == b"200"
        answers = [re.sub(rb"[Dd]ate: [^\r]*", b"", shop.raw(ping.replace(b"{}", name), 20)) for name in (b"woo", b"other")]
        assert answers[0] == answers[1], answers  # nobody learns by it which hooks there are
        twice = head.replace(b"Content-Length:", b"Content-Length: 5\r\nContent-Length:")
        chunked = head.replace(b"Content-Length:", b"Transfer-Encoding: chunked\r\nX-Length:")
        for bad in [twice, chunked]:
            assert shop.raw(bad + body).split(b" ")[1][:1] == b"4"
        assert len(timeline(shop, "email", "ann@example.com")) == 8


@story
@on_file
def forged_hooks_store_nothing_and_secrets_are_exchanged_without_a_gap():
    with Shop() as shop, Shop() as other:
        shop.start()
        first = hook(shop, "shopify", "webshop", "hush")["id"]
        hook(other, "shopify", "webshop", "another merchant's")
        for form, name, more in [("shopify", "webshop", {"secret": "another merchant's"}), ("shopify", "webshop", {"secret": shop.key}),
                                 ("shopify", "webshop", {"secret": shop.token}), ("shopify", "webshop", {"X-Shopify-Hmac-Sha256": None}),
                                 ("shopify", "webshop", {"X-Shopify-Hmac-Sha256": VECTOR_SIGNATURE}),
                                 ("woocommerce", "webshop", {}), ("shopify", "nowhere", {})]:
            assert deliver(shop, form, name, "orders/create", shopify_order(1), **more) == 401, (form, name, more)
        assert shop.events() == 0 and shop.get("/v1/rejects")[1]["count"] == 0
        assert deliver(shop, "shopify", "webshop", "customers/create", VECTOR) == 200
        assert names(timeline(shop, "email", "jon@example.com")) == ["Identify"]
        second = hook(shop, "shopify", "webshop", "fresh secret")["id"]
        assert deliver(shop, "shopify", "webshop", "orders/create", shopify_order(1)) == 200
        assert deliver(shop, "shopify", "webshop", "orders/create", shopify_order(2), secret="fresh secret") == 200
        shop.run("hook", "remove", str(first))
        assert deliver(shop, "shopify", "webshop", "orders/create", shopify_order(3)) == 401
        assert [told["id"] for told in shop.run("hook", "list")["hooks"]] == [second]
        assert shop.call("GET", "/v1/hooks", auth="")[0] == 401 == shop.call("POST", "/v1/hooks", b"{}", auth=shop.basic())[0]
        shop.stop(signal.SIGKILL)
        shop.start()
        assert deliver(shop, "shopify", "webshop", "orders/create", shopify_order(3), secret="fresh secret") == 200
        assert names(timeline(shop, "email", "ann@example.com")) == ["Order Completed"] * 3
        for name in ["ledger", "ledger-wal"]:
            with open(os.path.join(shop.data, name), "rb") as file:
                assert b"fresh secret" not in file.read(), name


@story
def the_validator_of_shopify_takes_what_our_tests_sign():
    if not clients.there():
        return "skipped"
    bodies = [VECTOR, b"{}", json.dumps(shopify_order(1), ensure_ascii=False).encode()]
    asked = [{"secret": "hush", "topic": "orders/create", "body": body.decode(), "hmac": sign("hush", body)} for body in bodies]
    assert sign("hush", VECTOR) == VECTOR_SIGNATURE
    forged = [{**asked[0], "secret": "hush2"}, {**asked[0], "body": "{}"}]
    told = clients.end(clients.begin("shopify_validator.js"), "".join(json.dumps(line) + "\n" for line in asked + forged))
    assert told == [True] * 3 + ["invalid_hmac"] * 2, told


def deliver_until_taken(proxy, name, number):
    """As Shopify does: the same hook under the same id, until an answer of 2xx; how often it was sent."""
    body = json.dumps({**shopify_order(number, f"c{number % 50}@example.com"), "messageId": f"h{number}"}, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"X-Shopify-Hmac-Sha256": sign("hush", body), "X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": f"w-{number}", "Content-Type": "application/json"}
    for times in range(1, 100):
        try:
            request = urllib.request.Request(f"{proxy.url}/v1/hooks/shopify/{name}", body, headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                if 200 <= answer.status < 300:
                    return times
        except OSError:  # an answer that is none of 2xx, or none at all
            time.sleep(0.02)
    raise AssertionError(f"hook {number} was never taken")


@story
def signed_hooks_through_a_bad_network_and_three_kills_are_stored_once():
    count = int(os.environ.get("SOUK_CLIENT_EVENTS", "1000"))
    with Shop() as shop:
        hook(shop, "shopify", "web", "hush")

        def restart():
            shop.stop(signal.SIGKILL)
            return shop.start().address

        with Proxy(shop.start().address, seed=5) as proxy:
            proxy.marks, proxy.at_mark = [count // 4, count // 2, 3 * count // 4], restart
            with ThreadPoolExecutor(4) as four:
                times = list(four.map(lambda number: deliver_until_taken(proxy, "web", number), range(1, count + 1)))
            proxy.there.wait(30)
            assert not proxy.marks, ("not all kills happened", proxy.marks)
            stats = shop.get("/v1/stats")[1]
            print(f"   shopify hooks: {count} hooks, {sum(times)} deliveries, {stats['orders']} orders stored, {proxy.injected()} faults {json.dumps(proxy.counts)}",
                  file=sys.stderr, flush=True)
            assert stats["orders"] == count and stats["revenue"]["EUR"] == f"{Decimal('41.90') * count:f}".rstrip("0").rstrip("."), stats
            stored = [row["event"]["properties"]["order_id"] for i in range(50) for row in timeline(shop, "email", f"c{i}@example.com") if row["type"] == "Order Completed"]
            assert len(stored) == len(set(stored)) == count, (len(stored), len(set(stored)))
        shop.stop()
        assert shop.run("verify")["done"]


# ---- the Sensors SDKs ------------------------------------------------------------------------------------


def products(rows):
    return [row["event"]["properties"]["product_id"] for row in rows if row["type"] == "Product Viewed"]


@story
def the_sensors_web_sdk_is_understood_by_each_way_it_sends():
    if not clients.there():
        return "skipped"
    with Shop() as shop:
        shop.start()
        url = "http://%s:%d/sa?project=%s" % (*shop.address, shop.key)
        running = {way: clients.begin("sensors_web.js", url, way, 20, f"u-{way}") for way in ["image", "ajax", "beacon", "batch"]}
        for way, client in running.items():
            told = clients.end(client)[0]
            assert told["refused"] == [], (way, told)
            rows = timeline(shop, "user", f"u-{way}")
            assert sorted(products(rows)) == sorted(f"p-{i}" for i in range(20)), (way, names(rows))
            assert names(rows).count("Page") == 1 and names(rows).count("Alias") == 1, (way, names(rows))
            assert len(rows) == told["records"] + 1, (way, told, names(rows))  # a sign-up is two: alias and identify
            page = next(row["event"] for row in rows if row["type"] == "Page")
            assert page["name"] == "Green tea" and page["context"]["page"]["path"] == "/tea", page
            viewed = next(row for row in rows if row["type"] == "Product Viewed")
            assert viewed["event"]["properties"]["name"] == "绿茶" and viewed["event"]["userId"] == f"u-{way}", viewed
            assert names(timeline(shop, "email", f"u-{way}@example.com")) == names(rows)
        assert shop.get("/v1/rejects")[1]["count"] == 0


@story
def the_sensors_mini_program_sdk_is_understood_one_by_one_and_in_batches():
    if not clients.there():
        return "skipped"
    with Shop() as shop:
        shop.start()
        url = "http://%s:%d/sa/%s" % (*shop.address, shop.key)
        for way, client in [(way, clients.begin("sensors_miniprogram.js", url, way, 20, f"m-{way}", f"open-m-{way}")) for way in ["single", "batch"]]:
            told = clients.end(client)[0]
            assert told["given_up"] == [], (way, told)
            rows = timeline(shop, "user", f"m-{way}")
            assert sorted(products(rows)) == sorted(f"p-{i}" for i in range(20)), (way, names(rows))
            assert names(rows).count("Profile Incremented") == 1 and names(rows).count("Alias") == 1, (way, names(rows))
            assert len(rows) == told["records"] + 1, (way, told, names(rows))
            assert names(timeline(shop, "open", f"open-m-{way}")) == names(rows)
            assert names(timeline(shop, "email", f"m-{way}@example.com")) == names(rows)
        assert shop.get("/v1/rejects")[1]["count"] == 0


class Weather(http.server.BaseHTTPRequestHandler):
    """Between a client and the shop: errors, and answers that are lost, before the shop has heard of it or after."""
    shop, count = None, 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).count += 1
        turn = type(self).count % 12
        self.close_connection = True
        if turn == 2:  # the client takes it for good, or tries again
            return self.answer(429)
        if turn in (3, 7):  # nobody heard of it
            return
        try:
            request = urllib.request.Request("http://%s:%d%s" % (*self.shop.address, self.path), body, method="POST")
            status = urllib.request.urlopen(request, timeout=20).status
        except OSError:  # the shop is down
            return
        if turn == 5:
            return self.answer(500)  # though it is stored
        if turn not in (0, 9, 10):  # there the answer is lost on its way
            self.answer(status)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def through_bad_weather(script, way):
    """A client sends through it while the shop is killed three times: what it did not give up is stored, all of it once."""
    count = int(os.environ.get("SOUK_CLIENT_EVENTS", "400"))
    with Shop() as shop:
        shop.start()
        weather = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Bad", (Weather,), {"shop": shop}))
        threading.Thread(target=weather.serve_forever, daemon=True).start()
        client = clients.begin(script, "http://127.0.0.1:%d/sa?project=%s" % (weather.server_address[1], shop.key), way, count, "m")
        for _ in range(3):
            before, since = shop.events(), time.monotonic()
            while shop.events() < before + 10 and client.poll() is None:  # it goes on
                assert time.monotonic() < since + 60, "the client sends no more"
                time.sleep(0.05)
            shop.stop(signal.SIGKILL)
            shop.start()
        told = clients.end(client, wait=120 + count / 10)[0]
        weather.shutdown()
        weather.server_close()
        seen = products(timeline(shop, "user", "m"))
        lost = set(told["given_up"])
        assert len(seen) == len(set(seen)), "stored twice"
        assert {f"p-{i}" for i in range(count)} - set(seen) <= lost, "lost, and not given up"
        assert len(seen) > count / 2 and shop.get("/v1/rejects")[1]["count"] == 0, (len(seen), told)
        print(f"{script}: {count} told, {len(lost)} given up by the client, {len(seen)} stored once", file=sys.stderr)


@story
def what_the_mini_program_sdk_does_not_give_up_is_stored_once_through_lost_answers_and_kills():
    if not clients.there():
        return "skipped"
    through_bad_weather("sensors_miniprogram.js", "batch")


@story
def what_the_web_sdk_does_not_give_up_is_stored_once_through_lost_answers_and_kills():
    if not clients.there():
        return "skipped"
    through_bad_weather("sensors_web.js", "batch")


# ---- all of one person ------------------------------------------------------------------------------------


@story
def a_page_a_mini_program_and_two_web_shops_of_one_person_are_one_timeline():
    if not clients.there():
        return "skipped"
    with Shop() as shop:
        hook(shop, "shopify", "eu", "hush")
        hook(shop, "woocommerce", "uk", "hush")
        shop.start()
        assert shop.send("/v1/identify", {"userId": "ann", "anonymousId": "a1", "messageId": "i1",
                                          "traits": {"email": "ann@example.com", "phone": "+8613800138000"}})[0] == 200
        assert shop.send("/v1/batch", {"batch": [event("ann", "m1", product_id="p-0")]})[0] == 200
        url = "http://%s:%d/sa/%s" % (*shop.address, shop.key)
        clients.end(clients.begin("sensors_miniprogram.js", url, "single", 2, "ann"))
        assert deliver(shop, "shopify", "eu", "orders/create", shopify_order(1001)) == 200
        assert deliver(shop, "woocommerce", "uk", "order.created", woo_order(7, "processing")) == 200
        rows = timeline(shop, "user", "ann")
        assert products(rows).count("p-0") == 2 and names(rows).count("Order Completed") == 2, names(rows)
        for kind, value in [("email", "ann@example.com"), ("phone", "+8613800138000"), ("anonymous", "shopify:order:1001"), ("open", "shopify:customer:17")]:
            assert names(timeline(shop, kind, value)) == names(rows), (kind, value)
        assert shop.get("/v1/stats")[1]["shoppers"] == 1
