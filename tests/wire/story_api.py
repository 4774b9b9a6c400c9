"""The API as it is described: /openapi.json is clean under two linters, and a proxy that checks every request and
every answer against it finds nothing to say."""
import base64, csv, hashlib, hmac, io, json, os, re, shutil, subprocess, threading, time, urllib.request

from lib import Shop, event, story
from story_checkout import shop_with_goods

API = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api")
installing = threading.Lock()


def tool(name):
    """The path of a tool of tests/api; None where npm cannot bring it."""
    path = os.path.join(API, "node_modules", ".bin", name)
    with installing:
        if not os.path.exists(path) and shutil.which("npm"):
            subprocess.run(["npm", "ci", "--silent"], cwd=API, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not os.path.exists(path):
        print(f"  {name} is not there: npm could not install tests/api")
        return None
    return path


def described(shop):
    """The file with the description, beside the data."""
    status, body, _ = shop.call("GET", "/openapi.json", auth="")
    assert status == 200, (status, body)
    path = os.path.join(os.path.dirname(shop.data), "openapi.json")
    with open(path, "wb") as file:
        file.write(body)
    return path


def run(*words, cwd):
    done = subprocess.run(words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    return done.returncode, done.stdout + done.stderr


@story
def the_description_is_clean_under_spectral_and_redocly():
    spectral, redocly = tool("spectral"), tool("redocly")
    if not spectral or not redocly:
        return "skipped"
    with Shop() as shop:
        shop.start()
        path = described(shop)
        folder = os.path.dirname(path)
        with open(os.path.join(folder, ".spectral.yaml"), "w") as file:
            file.write('extends: ["spectral:oas"]\n')
        status, said = run(spectral, "lint", "--fail-severity=hint", path, cwd=folder)
        assert status == 0, (status, said)
        status, said = run(redocly, "lint", path, cwd=folder)
        assert status == 0 and "is valid" in said and "You have" not in said, (status, said)  # "You have 3 warnings."
        # and a fault in it would be seen
        with open(path) as file:
            broken = json.load(file)
        del broken["paths"]["/v1/stats"]["get"]["operationId"]
        with open(path, "w") as file:
            json.dump(broken, file)
        assert run(spectral, "lint", "--fail-severity=hint", path, cwd=folder)[0] != 0, "spectral sees nothing"


class Proxy:
    """prism in front of the server; `call` fails where it found a request or an answer that is not as described."""

    def __init__(self, shop):
        self.shop, self.own = shop, shop.address
        self.process = subprocess.Popen([tool("prism"), "proxy", described(shop), "http://%s:%d" % shop.address, "--errors", "--port", "0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
            if found:
                shop.address = ("127.0.0.1", int(found.group(1)))
                break
        else:
            raise AssertionError("prism did not start")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shop.address = self.own
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=None, wants=200, headers=(), auth=None):
        sent = b"" if body is None else json.dumps(body).encode()
        more = ["Content-Type: application/json"] if body is not None else []
        status, answer, head = self.shop.call(method, path, sent, auth=auth, headers=[*more, *headers])
        assert b"stoplight" not in answer, (method, path, answer)
        assert status == wants, (method, path, status, answer)
        return answer, head


def loyalty(call, one):
    """Points and coupons of a shopper, each answer as it is described."""
    club = {"name": "Club", "currency": "EUR", "earn": {"points": 1, "per": "1.00", "rules": [{"tags": ["tea"], "multiply": 2, "weekdays": ["tue"]}]},
            "expire": {"months": 24, "end_of": "month"}, "worth": {"points": 100, "amount": "1.00"},
            "tiers": {"levels": [{"name": "silver", "from": "1.00", "multiply": "1.5"}]}}
    call("PUT", "/v1/loyalty/programme", club, 201, ["If-None-Match: *"])
    call("GET", "/v1/loyalty/programme")
    call("POST", "/v1/loyalty/adjust", {"customer": one, "points": 500, "reason": "welcome", "by": "ann"}, 200, ["Idempotency-Key: l1"])
    call("POST", "/v1/loyalty/adjust", {"customer": one, "points": -501, "reason": "no"}, 409, ["Idempotency-Key: l2"])
    call("POST", "/v1/loyalty/preview", {"currency": "EUR", "customer": one, "lines": [{"product": "P1", "amount": "12.50", "tags": ["tea"]}]})
    call("POST", "/v1/loyalty/families", {"customer": one, "name": "Miller"}, 201, ["Idempotency-Key: l3"])
    for path in ["/v1/loyalty/accounts/user/u1", "/v1/loyalty/accounts/user/u1/entries?limit=1", "/v1/loyalty/totals", "/v1/loyalty/families/1"]:
        call("GET", path)
    call("PUT", "/v1/loyalty/coupons/tea10", {"title": "10 % off tea", "limits": {"person": 2}, "until": "2099-01-01"}, 201, ["If-None-Match: *"])
    code = json.loads(call("POST", "/v1/loyalty/coupons/tea10/codes", {"count": 2}, 201, ["Idempotency-Key: l4"])[0])["codes"][0]
    call("POST", "/v1/loyalty/coupons/look", {"code": code, "customer": one})
    call("POST", "/v1/loyalty/coupons/look", {"code": "NONE"}, 404)
    done = json.loads(call("POST", "/v1/loyalty/coupons/redeem", {"code": code, "customer": one, "store": "BER"}, 200, ["Idempotency-Key: l5"])[0])
    call("POST", "/v1/loyalty/coupons/restore", {"receipt": done["receipt"]}, 200, ["Idempotency-Key: l6"])
    call("POST", "/v1/loyalty/coupons/tea10/revoke", {"batch": 1}, 200, ["Idempotency-Key: l7"])
    call("GET", "/v1/loyalty/coupons?limit=1")
    call("GET", "/v1/loyalty/coupons/tea10")
    call("DELETE", "/v1/loyalty/coupons/tea10", headers=['If-Match: "v1"'])


@story
def a_proxy_that_checks_the_description_finds_every_answer_as_it_says():
    if not tool("prism"):
        return "skipped"
    with Shop() as shop:
        shop.start()
        shop.send("/v1/batch", {"batch": [
            event("u1", "m1", "Order Completed", order_id="o1", revenue="12.50", currency="EUR", store_id="S1",
                  products=[{"product_id": "P1", "price": "12.50", "category": "Tea"}]),
            event("u2", "m2"), {"type": "identify", "userId": "u1", "traits": {"email": "a@b.cd", "age": 40}},
            event("u1", "m3", "Order Completed", revenue="much"), 7]})
        with Proxy(shop) as proxy:
            keyed = shop.basic()
            proxy.call("POST", "/v1/track", {"event": "Product Viewed", "userId": "u1", "properties": {"sku": "A"}}, auth=keyed)
            proxy.call("POST", "/v1/batch", {"batch": [{"type": "page", "anonymousId": "a"}], "sentAt": "2026-11-26T10:00:00Z"}, auth=keyed)
            proxy.call("POST", "/v1/track", {"event": "X", "userId": "u1"}, 401, auth="Basic bm9ib2R5Og==")
            for path in ["/v1/stats", "/v1/shoppers/user/u1", "/v1/shoppers/email/a%40b.cd/profile", "/v1/shoppers/user/u1/timeline?limit=1",
                         "/v1/rejects", "/v1/rejects?limit=1", "/v1/sources", "/v1/keys", "/v1/tokens", "/v1/jobs", "/v1/quarantine", "/v1/schemas",
                         "/v1/schemas/Order%20Completed", "/v1/stores", "/v1/products", "/v1/products?limit=1",
                         "/v1/products?format=csv", "/v1/stores?format=csv", "/v1/rejects?format=csv&limit=1",
                         "/v1/shoppers/user/u1/timeline?format=csv", "/v1/products/P1", "/v1/products/P1/versions", "/health", "/version", "/robots.txt", "/metrics", "/openapi.json"]:
                proxy.call("GET", path)
            proxy.call("GET", "/v1/products/P%202", wants=404)
            proxy.call("GET", "/v1/shoppers/user/nobody", wants=404)
            proxy.call("GET", "/v1/shoppers/user/u1/profile?purpose=mood", wants=403)
            proxy.call("GET", "/v1/stats", wants=401, auth="Bearer souk_at_0")
            _, head = proxy.call("PUT", "/v1/stores/S1", {"name": "High Street", "time_zone": "Europe/London", "currency": "GBP"}, 201, ["If-None-Match: *"])
            assert b'etag: "v1"' in head.lower(), head
            proxy.call("PUT", "/v1/stores/S1", {"name": "High Street 2"}, 428)
            proxy.call("PUT", "/v1/stores/S1", {"name": "High Street 2"}, 200, ['If-Match: "v1"'])
            proxy.call("PUT", "/v1/stores/S1", {"name": "High Street 3"}, 412, ['If-Match: "v1"'])
            proxy.call("PUT", "/v1/stores/S1", {"name": "x", "currency": "XQX"}, 400, ['If-Match: "v2"'])
            proxy.call("GET", "/v1/stores/S1")
            proxy.call("DELETE", "/v1/stores/S1", wants=200, headers=['If-Match: "v2"'])
            token = json.loads(proxy.call("POST", "/v1/tokens", {"scopes": ["read"]}, 201)[0])
            proxy.call("DELETE", "/v1/tokens/" + token["id"])
            proxy.call("POST", "/v1/sources", {"name": "till", "bases": ["profile=contract"], "age": "adult"}, 201)
            proxy.call("POST", "/v1/keys", {"source": "till"}, 201)
            one, two = ({"kind": "user", "value": name} for name in ("u1", "u2"))
            proxy.call("POST", "/v1/shoppers/merge", {"a": one, "b": two, "by": "clerk", "reason": "both cards"})
            proxy.call("POST", "/v1/shoppers/unmerge", {"a": one})
            proxy.call("POST", "/v1/shoppers/consent", {"a": one, "purpose": "profile", "basis": "consent", "age": "adult"})
            proxy.call("POST", "/v1/shoppers/erase", {"a": two})
            shop_with_goods(proxy.call)
            basket = {"store": "BER", "till": "3", "lines": [{"scan": "4006381333931", "quantity": 3}, {"product": "SALT"}]}
            assert json.loads(proxy.call("POST", "/v1/till/price", basket)[0])["total"] == "5.99"
            proxy.call("POST", "/v1/till/price", {**basket, "lines": [{"product": "COFFEE"}]}, 400)
            who = {"customer": one, "account": "balance", "currency": "EUR"}
            proxy.call("POST", "/v1/accounts", {**who, "confirm_above": "50.00"})
            proxy.call("POST", "/v1/accounts/top-ups", {**who, "amount": "5.00"}, 201, ["Idempotency-Key: t1"])
            paid = {**basket, "customer": one, "expected_total": "5.99", "tenders": [{"kind": "balance", "amount": "5.00"}, {"kind": "cash", "amount": 1}]}
            proxy.call("POST", "/v1/till/commit", paid, 400)  # no key
            proxy.call("POST", "/v1/till/commit", paid, 201, ["Idempotency-Key: s1"])
            proxy.call("POST", "/v1/till/commit", {**paid, "expected_total": "6.00"}, 409, ["Idempotency-Key: s2"])
            proxy.call("GET", "/v1/receipts/BER/3/1")
            back = {"store": "BER", "till": "3", "receipt": {"store": "BER", "till": "3", "number": 1}, "tenders": [{"kind": "cash", "amount": "1.67"}]}
            proxy.call("POST", "/v1/till/return", {**back, "lines": [{"line": 1, "quantity": 1}]}, 201, ["Idempotency-Key: b1"])
            proxy.call("POST", "/v1/till/void", back, 409, ["Idempotency-Key: b2"])
            proxy.call("GET", "/v1/receipts/BER/3/9", wants=404)
            proxy.call("GET", "/v1/accounts/user/u1?currency=EUR")
            pays, one_key = {**who, "amount": "0.50", "capture": False, "hold_s": 60}, lambda key: [f"Idempotency-Key: {key}"]
            proxy.call("POST", "/v1/accounts/top-ups", {**who, "amount": "5.00"}, 201, one_key("t2"))
            proxy.call("POST", "/v1/payments", {**pays, "id": "h/1", "store": "BER", "reference": "pump"}, 201, one_key("h1"))
            proxy.call("POST", "/v1/payments", {**pays, "amount": "7.00"}, 409, one_key("h2"))
            proxy.call("POST", "/v1/payments", {**pays, "amount": "0.60", "id": "h/1"}, 422, one_key("h2"))
            proxy.call("POST", "/v1/payments/h%2F1/capture", {"amount": "0.40"}, 200, one_key("h3"))
            proxy.call("POST", "/v1/payments/h%2F1/capture", None, 409, one_key("h4"))
            proxy.call("POST", "/v1/payments/h%2F1/refund", {"amount": "0.10"}, 200, one_key("h5"))
            proxy.call("POST", "/v1/payments/h%2F1/refund", {"amount": "0.40"}, 409, one_key("h6"))
            proxy.call("POST", "/v1/payments", pays, 201, one_key("h7"))
            proxy.call("POST", "/v1/payments/h7/void", None, 200, one_key("h8"))
            proxy.call("GET", "/v1/payments/h7")
            proxy.call("GET", "/v1/payments/h8", wants=404)
            proxy.call("GET", "/v1/accounts/user/u1/entries?currency=EUR&limit=2")
            kept = json.loads(proxy.call("POST", "/v1/baskets", {"basket": basket, "customer": one, "who": "7"}, 201, one_key("k1"))[0])
            proxy.call("POST", "/v1/baskets", {"basket": {**basket, "lines": [{"product": "COFFEE"}]}}, 400, one_key("k2"))
            proxy.call("GET", "/v1/baskets?store=BER")
            proxy.call("GET", f"/v1/baskets/{kept['id']}")
            proxy.call("PUT", f"/v1/baskets/{kept['id']}", {"basket": basket}, 200, ['If-Match: "v1"'])
            proxy.call("DELETE", f"/v1/baskets/{kept['id']}", wants=412, headers=['If-Match: "v1"'])
            proxy.call("DELETE", f"/v1/baskets/{kept['id']}", headers=['If-Match: "v2"'])
            proxy.call("GET", f"/v1/baskets/{kept['id']}", wants=404)
            for path in ["/v1/offers", "/v1/offers/7", "/v1/taxes?limit=1", "/v1/measures"]:
                proxy.call("GET", path)
            proxy.call("DELETE", "/v1/offers/7", headers=['If-Match: "v1"'])
            loyalty(proxy.call, one)
            rejected = json.loads(proxy.call("GET", "/v1/rejects")[0])["rejects"]
            proxy.call("POST", f"/v1/rejects/{rejected[0]['id']}/replay", event("u1", "m3", "Order Completed", order_id="o2", revenue="3"))
            proxy.call("DELETE", f"/v1/rejects/{rejected[1]['id']}")


@story
def a_request_under_one_idempotency_key_is_done_once():
    with Shop() as shop:
        shop.start()
        key = ["Idempotency-Key: 0b9d2a7e-1"]
        first = shop.call("POST", "/v1/tokens", {"scopes": ["read"], "name": "desk"}, headers=key)
        again = shop.call("POST", "/v1/tokens", {"scopes": ["read"], "name": "desk"}, headers=key)
        made, told = json.loads(first[1]), json.loads(again[1])
        assert made.pop("token").startswith("souk_at_") and told.pop("withheld") == "token", (made, told)
        assert first[0] == 201 == again[0] and made == told, (first, again)
        assert b"Idempotency-Replayed: true" in again[2] and b"Idempotency-Replayed" not in first[2]
        assert shop.call("POST", "/v1/tokens", {"scopes": ["manage"], "name": "desk"}, headers=key)[0] == 422
        assert shop.call("POST", "/v1/tokens", {"scopes": ["read"], "name": "x"}, headers=["Idempotency-Key: two words"])[0] == 400
        assert [t["name"] for t in shop.get("/v1/tokens")[1]["tokens"]].count("desk") == 1
        shop.stop()  # and after a restart
        shop.start()
        assert shop.call("POST", "/v1/tokens", {"scopes": ["read"], "name": "desk"}, headers=key)[1] == again[1]


@story
def a_token_above_its_quota_is_told_how_long_to_wait():
    with Shop() as shop:
        shop.start({"SOUK_LIMITS_TOKEN_REQUESTS": "1"})
        heads = [shop.call("GET", "/v1/stats") for _ in range(11)]
        assert [h[0] for h in heads[:10]] == [200] * 10, heads
        assert b'RateLimit-Policy: "token";q=10;w=10' in heads[0][2] and b'RateLimit: "token";r=9;' in heads[0][2], heads[0][2]
        if heads[10][0] == 429:  # not on a machine so slow that one flowed in
            assert b"Retry-After: 1" in heads[10][2] and b"quota-exceeded" in heads[10][1], heads[10]
        assert shop.send("/v1/track", {"event": "X", "userId": "u"})[0] == 200  # events have a queue of their own


@story
def no_description_of_a_store_takes_the_place_of_what_we_say_of_it():
    with Shop() as shop:
        shop.start()
        body = b'{"name":"High Street","st\\u006fre":"other","describe\\u0064":7,"version":99,"\\u0063ity":"Leeds"}'
        wants = [("store", "S1"), ("described", True), ("version", 1), ("name", "High Street"), ("city", "Leeds")]
        status, answer, _ = shop.call("PUT", "/v1/stores/S1", body, headers=["If-None-Match: *"])
        assert (status, json.loads(answer, object_pairs_hook=list)) == (201, wants), answer
        answer = shop.call("GET", "/v1/stores/S1")[1]
        assert json.loads(answer, object_pairs_hook=list) == wants, answer
        listed = json.loads(shop.call("GET", "/v1/stores")[1], object_pairs_hook=list)
        assert listed == [("stores", [wants])], listed


@story
def a_list_links_to_its_next_page_until_there_is_none():
    with Shop() as shop:
        shop.start()
        shop.send("/v1/batch", {"batch": [event("u", f"m{i}", "Store Entered", store_id=f"S {i:02}/é") for i in range(25)]})
        seen, path = [], "/v1/stores?limit=10"
        while path:
            status, body, head = shop.call("GET", path)
            assert status == 200, body
            seen += [s["store"] for s in json.loads(body)["stores"]]
            link = re.search(rb'Link: <([^>]*)>; rel="next"', head)
            assert bool(link) == ("next_cursor" in json.loads(body))
            path = link and link.group(1).decode()
        assert seen == [f"S {i:02}/é" for i in range(25)], seen


@story
def products_are_listed_as_they_are_described_and_as_events_name_them():
    with Shop() as shop:
        path = os.path.join(os.path.dirname(shop.data), "products.csv")
        with open(path, "w") as file:
            file.write("id,title,brand,price,currency,shade\nB-1,Tea,Leaf,4.50,EUR,green\nB-3,Cup,Clay,12,EUR,\n")
        shop.run("import", "products", path)
        shop.start()
        shop.send("/v1/batch", {"batch": [event("u", f"m{code}", "Product Viewed", sku=code, price="1") for code in ("B-2", "B-3", "A 0/ü")]})
        status, body, head = shop.call("GET", "/v1/products?limit=3")
        page = json.loads(body)
        assert status == 200 and [(p["product"], p["described"]) for p in page["products"]] == [
            ("A 0/ü", False), ("B-1", True), ("B-2", False)], page
        assert page["products"][1]["price"] == "4.5" and page["products"][1]["attributes"] == {"shade": "green"}, page
        assert page["next_cursor"] == "B-2" and b"cursor=B-2" in head
        assert [p["product"] for p in shop.get("/v1/products?limit=3&cursor=B-2")[1]["products"]] == ["B-3"]
        assert shop.get("/v1/products/A%200%2F%C3%BC")[1] == {"product": "A 0/ü", "described": False}
        with open(path, "w") as file:
            file.write("id,title,brand,price,currency\nB-1,Tea,Leaf,4.80,EUR\n")
        shop.run("import", "products", path)
        assert [v["price"] for v in shop.get("/v1/products/B-1/versions")[1]["versions"]] == ["4.5", "4.8"]
        assert shop.get("/v1/products/B-1")[1]["price"] == "4.8"


@story
def a_sheet_of_products_runs_nothing_and_comes_back_as_it_was():
    with Shop() as shop:
        path = os.path.join(os.path.dirname(shop.data), "products.csv")
        with open(path, "w") as file:
            file.write('sku,title,brand,price,currency,shade\n=A1,"=HYPERLINK(""http://x"",""sale"")",@Leaf,4.50,EUR,-1+2\n'
                       "B-2,'=2,+44 12,12,EUR,\nC-3,-5,Clay,3,EUR,\"two\nlines\"\n")
        shop.run("import", "products", path)
        shop.start()
        shop.send("/v1/batch", {"batch": [event("u", "m1", "Product Viewed", sku="\tZ9", price="1")]})
        told = shop.get("/v1/products")[1]["products"]
        rows, next_page, pages = [], "/v1/products?format=csv&limit=2", []
        while next_page:
            status, body, head = shop.call("GET", next_page)
            assert status == 200 and b"Content-Type: text/csv" in head and body.startswith(b"\xef\xbb\xbfproduct,described,title,"), (head, body)
            assert b'filename="products.csv"' in head, head
            pages.append(body)
            read = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
            rows += read
            link = re.search(rb'Link: <([^>]*)>; rel="next"', head)
            next_page = link and link.group(1).decode()
        assert len(pages) > 1 and len(rows) == len(told), rows
        for row in rows:
            for cell in row.values():
                assert not re.match(r"[=+\-@\t\r\n]", cell) or re.fullmatch(r"[-+]\d+(\.\d+)?", cell), cell
        assert any(row["title"].startswith("'=HYPERLINK") for row in rows), rows
        with open(path, "wb") as file:  # as a sheet would put the pages under one heading
            file.write(pages[0] + b"".join(page.split(b"\r\n", 1)[1] for page in pages[1:]))
        said = shop.run("import", "products", path)
        assert shop.get("/v1/products")[1]["products"] == told, (said, shop.get("/v1/products"), told)
        for page, fields in [("/v1/stores", ["store"]), ("/v1/rejects", ["id", "text"]), ("/v1/shoppers/user/u/timeline", ["position", "type", "event"])]:
            status, body, _ = shop.call("GET", page + "?format=csv")
            heading = next(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
            assert status == 200 and set(fields) <= set(heading), (page, body)
        assert shop.call("GET", "/v1/products?format=xlsx")[0] == 400


@story
def none_but_admin_makes_tokens_and_so_none_else_has_a_second_quota():
    with Shop() as shop:
        shop.start()
        for scope in "read", "manage":
            token = shop.run("token", "new", scope)["token"]
            answer = shop.call("POST", "/v1/tokens", {"scopes": [scope]}, auth="Bearer " + token)
            assert answer[0] == 403, answer
        assert shop.run("token", "list")["tokens"][0]["scopes"] == ["read", "manage", "admin"]


@story
def a_stores_code_has_no_control_characters():
    with Shop() as shop:
        shop.start()
        for code in "A%0AB", "A%1B%5B2J", "%E2%80%AEA", "A%FF":
            status, body, _ = shop.call("PUT", "/v1/stores/" + code, {"name": "x"}, headers=["If-None-Match: *"])
            assert status == 400 and b"control characters" in body, (code, status, body)
        assert shop.call("PUT", "/v1/stores/A%20B", {"name": "x"}, headers=["If-None-Match: *"])[0] == 201


@story
def a_proxy_finds_webhooks_stream_and_hooks_as_they_are_described():
    if not tool("prism"):
        return "skipped"
    with Shop() as shop:
        shop.start({"SOUK_WEBHOOKS_ALLOW_PRIVATE": "127.0.0.0/8", "SOUK_WEBHOOKS_RETRY_MS": "50"})
        shop.send("/v1/track", event("u1", "m1", "Order Completed", order_id="o1", revenue="2", currency="EUR"))
        with Proxy(shop) as proxy:
            # webhooks: to a port where nobody listens, so that each delivery waits
            form = {"url": "http://127.0.0.1:9/x", "events": ["Order Completed"], "stores": ["S1"], "purpose": "serve", "rate": 5}
            answer, _ = proxy.call("POST", "/v1/webhooks", form, 201, ["Idempotency-Key: w-1"])
            made = json.loads(answer)
            again = json.loads(proxy.call("POST", "/v1/webhooks", form, 201, ["Idempotency-Key: w-1"])[0])
            assert made["secret"].startswith("whsec_") and "secret" not in again and again["withheld"] == "secret", again
            path = f"/v1/webhooks/{made['id']}"
            proxy.call("POST", "/v1/webhooks", {**form, "url": "ftp://x"}, 400)
            proxy.call("GET", "/v1/webhooks")
            proxy.call("GET", path)
            proxy.call("GET", "/v1/webhooks/99", wants=404)
            proxy.call("PUT", path, {**form, "purpose": None, "enabled": False}, 428)
            proxy.call("PUT", path, {**form, "purpose": None, "enabled": True}, 200, ['If-Match: "v1"'])
            proxy.call("PUT", path, form, 412, ['If-Match: "v1"'])
            proxy.call("POST", path + "/rotate", {"keep_s": 60})
            sent = json.loads(proxy.call("POST", path + "/test", wants=202)[0])
            listed = json.loads(proxy.call("GET", path + "/deliveries?state=waiting")[0])["deliveries"]
            assert [each["id"] for each in listed] == [sent["id"]], (sent, listed)
            proxy.call("POST", f"{path}/deliveries/{sent['id']}/retry", wants=202)
            proxy.call("GET", path + "/deliveries")
            proxy.call("DELETE", path)

            # the stream: it ends with its token, so the proxy has a whole answer
            token = json.loads(proxy.call("POST", "/v1/tokens", {"scopes": ["read"]}, 201)[0])
            bearer = "Bearer " + token["token"]
            ticket = json.loads(proxy.call("POST", "/v1/stream/tickets", wants=201, auth=bearer)[0])["ticket"]
            told = {}
            streams = [threading.Thread(target=lambda name=name, query=query, auth=auth: told.update({name: proxy.call("GET", "/v1/stream?from=1" + query, auth=auth)}))
                       for name, query, auth in [("token", "&type=Order%20Completed", bearer), ("ticket", "&ticket=" + ticket, "")]]
            for each in streams:
                each.start()
            direct = lambda path: urllib.request.urlopen(urllib.request.Request(
                "http://%s:%d" % proxy.own + path, headers={"Authorization": "Bearer " + shop.token})).read().decode()
            for _ in range(600):  # both are open: what was told is counted
                if re.search(r"\nsouk_stream_told_total [2-9]", direct("/metrics")):
                    break
                time.sleep(0.05)
            proxy.call("DELETE", "/v1/tokens/" + token["id"])
            for each in streams:
                each.join(30)
            for name in "token", "ticket":
                body, head = told[name]
                assert b"text/event-stream" in head.lower() and b'"type":"Order Completed"' in body and b"revoked" in body, (name, head, body)
            proxy.call("GET", "/v1/stream?shopper=user:nobody", wants=404)
            proxy.call("GET", "/v1/stream?ticket=souk_st_0", wants=401, auth="")
            proxy.call("POST", "/v1/stream/tickets", wants=401, auth=bearer)

            # hooks: who may send is who signs
            hook = {"form": "shopify", "source": "webshop", "secret": "hush", "bases": ["serve=contract"]}
            made = json.loads(proxy.call("POST", "/v1/hooks", hook, 201)[0])
            proxy.call("POST", "/v1/hooks", {**hook, "form": "woocommerce"}, 201)
            proxy.call("GET", "/v1/hooks")
            order = json.dumps({"id": 7, "name": "#7", "created_at": "2026-01-01T10:00:00Z", "currency": "EUR", "total_price": "5.00", "line_items": []},
                               separators=(",", ":")).encode()  # the proxy writes JSON again, and the bytes are signed
            for header, secret, wants in [("X-Shopify-Hmac-Sha256", b"hush", 200), ("X-Shopify-Hmac-Sha256", b"loud", 401)]:
                mac = base64.b64encode(hmac.new(secret, order, hashlib.sha256).digest()).decode()
                status, answer, _ = shop.call("POST", made["path"], order, auth="", headers=["Content-Type: application/json", f"{header}: {mac}", "X-Shopify-Topic: orders/create"])
                assert status == wants and b"stoplight" not in answer, (status, answer)
            status, answer, _ = shop.call("POST", "/v1/hooks/woocommerce/webshop", b"{}", auth="", headers=["Content-Type: application/json", "X-WC-Webhook-Signature: x"])
            assert status == 401 and b"stoplight" not in answer, (status, answer)
            proxy.call("DELETE", f"/v1/hooks/{made['id']}")
            proxy.call("DELETE", "/v1/hooks/99", wants=404)
            proxy.call("PUT", "/v1/sources/webshop", {"speaks_for": "nobody"})
            proxy.call("PUT", "/v1/sources/none", {"speaks_for": "nobody"}, 404)
