"""Baskets: priced with their reasons, paid once however often they are told, and whole or absent when the plug is pulled."""
import hashlib, json, threading, time

from lib import Shop, event, story

NEW = ["If-None-Match: *"]


def shop_with_goods(call):
    """Tea (3 for 2), salt and weighed apples, sold in Berlin with its taxes; `call` as Shop.ask."""
    call("POST", "/v1/prices", {"prices": [{"product": "TEA", "price": 2.5, "currency": "EUR"}, {"product": "SALT", "price": "0.99", "currency": "EUR"}],
                                "barcodes": [{"code": "4006381333931", "product": "TEA"}]}, 201)
    call("PUT", "/v1/stores/BER", {"name": "Berlin", "time_zone": "Europe/Berlin", "currency": "EUR"}, 201, NEW)
    call("PUT", "/v1/offers/7", {"name": "3 for 2 tea", "offer": {"id": 7, "kind": "n_for_m", "on": {"products": ["TEA"]}, "take": 3, "pay": 2}}, 201, NEW)
    call("PUT", "/v1/taxes/all", {"prices": "with_tax", "rounding": "half_up", "rates": [{"name": "USt 19 %", "percent": 19}],
                                  "classes": {"standard": ["USt 19 %"]}, "usual": "standard"}, 201, NEW)


BASKET = {"store": "BER", "till": "3", "lines": [{"scan": "4006381333931", "quantity": 3}, {"product": "SALT"}]}
PAID = {**BASKET, "expected_total": "5.99", "tenders": [{"kind": "cash", "amount": 10}]}


class Till:
    def __init__(self, shop):
        self.shop = shop

    def ask(self, method, path, body=None, wants=200, headers=()):
        status, answer, head = self.shop.call(method, path, body, headers=list(headers))
        assert status == wants, (method, path, status, answer)
        return json.loads(answer)

    def pay(self, key, wants=201, **more):
        return self.ask("POST", "/v1/till/commit", {**PAID, **more}, wants, [f"Idempotency-Key: {key}"])


def opened(shop):
    shop.start()
    till = Till(shop)
    shop_with_goods(till.ask)
    return till


@story
def a_basket_is_priced_with_reasons_paid_once_and_its_receipt_stands_in_the_chain():
    with Shop() as shop:
        till = opened(shop)
        priced = till.ask("POST", "/v1/till/price", BASKET)
        assert (priced["total"], priced["discount"], priced["tax"]) == ("5.99", "-2.50", "0.96"), priced
        assert priced["offers"] == [{"offer": 7, "name": "3 for 2 tea", "times": 1, "amount": "-2.50"}], priced
        first = till.pay("k1")
        assert till.pay("k1") == first and first["number"] == 1 and first["receipt"]["change"] == "4.01", first
        till.pay("k1", 422, expected_total="5.98")
        second = till.pay("k2")
        assert second["number"] == 2
        # anybody can compute the chain from what was handed out
        before = bytes(32)
        for made in (first, second):
            status, body, _ = shop.call("GET", f"/v1/receipts/BER/3/{made['number']}")
            assert status == 200
            raw = body[body.index(b'"receipt":') + len(b'"receipt":'):-1]
            before = hashlib.sha256(before + hashlib.sha256(raw).digest() + f"BER/3/{made['number']}".encode()).digest()
            assert made["hash"] == before.hex() == json.loads(body)["hash"]
        shop.stop()
        assert shop.run("verify")["done"]


@story
def what_cannot_be_sold_is_refused_in_words_and_leaves_nothing():
    with Shop() as shop:
        till = opened(shop)
        for wants, words, more in [
                (409, "another total", {"expected_total": "6.00"}),
                (409, "do not pay", {"tenders": [{"kind": "cash", "amount": 5}]}),
                (409, "change is given of cash alone", {"tenders": [{"kind": "card", "amount": 10, "last4": "1111"}]}),
                (400, "tenders[0].amount", {"tenders": [{"kind": "cash", "amount": "5.999"}]}),
                (400, "payment card", {"tenders": [{"kind": "card", "amount": "5.99", "reference": "4111 1111 1111 1111"}]}),
                (400, "customer is missing", {"tenders": [{"kind": "balance", "amount": "5.99"}]}),
                (404, "nobody has this card", {"customer": {"kind": "card", "value": "C-77"}}),
                (400, "there is no product 'COFFEE'", {"lines": [{"product": "COFFEE"}]}),
                (400, "sold by the piece", {"lines": [{"product": "TEA", "quantity": 0.5}]}),
                (400, "lines[0].quantity", {"lines": [{"product": "TEA", "quantity": 1e18}]}),
                (400, "check digit", {"lines": [{"scan": "4006381333930"}]}),
                (400, "the till's name", {"till": "3/4"})]:
            refused = till.pay("r", wants, **more)
            assert words in refused["detail"], refused
        assert till.pay("r")["number"] == 1  # no number was spent, and the key is free
        shop.call("POST", "/v1/tokens", {"scopes": ["till"], "name": "till 3"})
        made = json.loads(shop.call("POST", "/v1/tokens", {"scopes": ["till"], "name": "till 4"})[1])["token"]
        assert shop.call("POST", "/v1/till/price", BASKET, auth=f"Bearer {made}")[0] == 200
        assert shop.call("GET", "/v1/receipts/BER/3/1", auth=f"Bearer {made}")[0] == 403
        assert shop.call("POST", "/v1/prices", {}, auth=f"Bearer {made}")[0] == 403


@story
def a_member_pays_by_account_and_the_books_agree():
    with Shop() as shop:
        till = opened(shop)
        shop.send("/v1/track", event("u1", "m1"))
        who = {"kind": "user", "value": "u1"}
        account = {"customer": who, "account": "balance", "currency": "EUR"}
        pays = {"customer": who, "tenders": [{"kind": "balance", "amount": "5.99"}]}
        assert "open one" in till.pay("a", 404, **pays)["detail"]
        till.ask("POST", "/v1/accounts", {**account, "confirm_above": "5.00"})
        assert till.pay("a", 409, **pays)  # nothing is in it
        for _ in range(2):
            till.ask("POST", "/v1/accounts/top-ups", {**account, "amount": "20.00"}, 201, ["Idempotency-Key: t"])
        assert till.pay("a", 403, **pays)  # above 5.00 she must have confirmed
        confirmed = {"customer": who, "tenders": [{"kind": "balance", "amount": "5.99", "confirmed": True}]}
        till.pay("a", **confirmed)
        till.pay("a", **confirmed)
        assert till.ask("GET", "/v1/accounts/user/u1?currency=EUR")["available"] == "14.01"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def what_a_till_sells_leaves_the_shelf_once_and_a_refused_basket_takes_nothing():
    with Shop() as shop:
        till = opened(shop)

        def on_hand():
            return till.ask("GET", "/v1/stock/BER/TEA")["on_hand"]

        till.ask("POST", "/v1/stock/movements", {"kind": "received", "lines": [{"location": "BER", "product": "TEA", "quantity": 10}]}, 201, ["Idempotency-Key: r"])
        till.pay("k1")
        till.pay("k1")
        assert on_hand() == "7"
        till.pay("k2", 409, tenders=[{"kind": "cash", "amount": 1}])
        assert on_hand() == "7"
        till.pay("k2")
        till.pay("k3")
        till.pay("k4")  # the till had it in its hand, whatever the count says
        assert on_hand() == "-2"
        kinds = [m["kind"] for m in till.ask("GET", "/v1/stock/BER/TEA")["movements"]]
        assert kinds == ["sold"] * 4 + ["received"], kinds
        shop.stop(9)
        shop.start()
        assert on_hand() == "-2"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def what_comes_back_is_paid_back_to_the_cent_in_any_parts_and_never_twice():
    with Shop() as shop:
        till = opened(shop)
        till.ask("POST", "/v1/stock/movements", {"kind": "received", "lines": [{"location": "BER", "product": "TEA", "quantity": 10}]}, 201, ["Idempotency-Key: r"])
        shop.send("/v1/track", event("u1", "m1"))
        who = {"kind": "user", "value": "u1"}
        till.ask("POST", "/v1/accounts", {"customer": who, "account": "balance", "currency": "EUR"})
        sale = till.pay("k1")  # three teas for 5.00, and salt

        def back(key, lines, amount, wants=201, **more):
            return till.ask("POST", "/v1/till/return", {"store": "BER", "till": "9", "receipt": {"store": "BER", "till": "3", "number": sale["number"]}, "lines": lines,
                                                        "tenders": [{"kind": "cash", "amount": amount}], **more}, wants, [f"Idempotency-Key: {key}"])

        refused = back("b1", [{"line": 1, "quantity": 1}], "2.50", 409)  # not the list price: what she paid
        assert "1.67 EUR comes back" in refused["detail"], refused
        parts = [back(f"p{i}", [{"line": 1, "quantity": 1}], amount)["receipt"]["total"] for i, amount in enumerate(["1.67", "1.66"])]
        assert parts == ["-1.67", "-1.66"] and back("p1", [{"line": 1, "quantity": 1}], "1.66")["number"] == 2  # the same request again
        assert till.ask("GET", "/v1/stock/BER/TEA")["on_hand"] == "9"
        back("b2", [{"line": 1, "quantity": 2}], "1.67", 409)
        back("b3", [{"line": 7}], "1.00", 400)
        rest = till.ask("POST", "/v1/till/return", {"store": "BER", "till": "9", "receipt": {"store": "BER", "till": "3", "number": 1}, "lines": [{"line": 1}, {"line": 2}],
                                                    "customer": who, "tenders": [{"kind": "balance", "amount": "2.66"}]}, 201, ["Idempotency-Key: p2"])
        assert [line["total"] for line in rest["receipt"]["lines"]] == ["-1.67", "-0.99"], rest
        assert till.ask("GET", "/v1/accounts/user/u1?currency=EUR")["available"] == "2.66"
        back("b4", [{"line": 1}], "1.00", 409)
        void = {"store": "BER", "till": "3", "tenders": [{"kind": "cash", "amount": "5.99"}]}
        of = lambda number: {**void, "receipt": {"store": "BER", "till": "3", "number": number}}
        till.ask("POST", "/v1/till/void", of(1), 409, ["Idempotency-Key: v1"])  # part of it came back
        till.pay("k2")
        till.ask("POST", "/v1/till/void", of(2), 201, ["Idempotency-Key: v2"])
        till.ask("POST", "/v1/till/void", of(2), 409, ["Idempotency-Key: v3"])
        assert till.ask("GET", "/v1/receipts/BER/3/2")["void"] is True
        assert till.ask("GET", "/v1/stock/BER/TEA")["on_hand"] == "10"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_sale_at_the_till_stands_on_the_members_timeline_once_and_counts_in_the_totals():
    with Shop() as shop:
        till = opened(shop)
        shop.send("/v1/track", event("u1", "m1"))
        who = {"kind": "user", "value": "u1"}
        sale = till.pay("k1", customer=who)
        till.pay("k2")  # nobody's
        back = {"store": "BER", "till": "3", "receipt": {"store": "BER", "till": "3", "number": 1}, "customer": who}
        till.ask("POST", "/v1/till/return", {**back, "lines": [{"line": 2}], "tenders": [{"kind": "cash", "amount": "0.99"}]}, 201, ["Idempotency-Key: b"])
        while shop.get("/v1/stats")[1]["events"] < 4:
            time.sleep(0.02)
        shop.stop(9)  # what was told is told once, what was not is told now
        shop.start()
        till.pay("k3", customer=who)
        while shop.get("/v1/stats")[1]["events"] < 5:
            time.sleep(0.02)
        told = shop.get("/v1/shoppers/user/u1/timeline")[1]["events"]
        assert [e["type"] for e in told] == ["Receipt Issued", "Receipt Returned", "Receipt Issued", "Product Viewed"], told
        assert told[2]["amount"] == "5.99" and told[2]["currency"] == "EUR", told[2]
        assert told[1]["amount"] == "-0.99" and sale["number"] == 1, told[1]
        stats = shop.get("/v1/stats")[1]
        assert stats["orders"] == 3 and stats["revenue"]["EUR"] == "16.98", stats
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_coupon_won_online_opens_its_offer_once_and_points_come_go_and_go_back():
    with Shop() as shop:
        till = opened(shop)
        shop.send("/v1/track", event("u1", "m1"))
        who = {"kind": "user", "value": "u1"}
        till.ask("PUT", "/v1/offers/9", {"name": "winner", "currency": "EUR", "offer": {"id": 9, "kind": "basket_amount", "amount": "1.00", "when": {"coupon": "win"}}}, 201, NEW)
        till.ask("PUT", "/v1/loyalty/coupons/win", {"title": "1 off", "kind": "unique", "offer": "win"}, 201, NEW)
        till.ask("PUT", "/v1/loyalty/programme", {"name": "Club", "currency": "EUR", "earn": {"points": 10, "per": "1.00", "round": "down", "by": "receipt"},
                                                  "worth": {"points": 10, "amount": "0.10", "least": 10, "step": 10}, "returns": {"debt": 100}}, 201, NEW)
        code = till.ask("POST", "/v1/loyalty/coupons/win/codes", {"count": 1}, 201, ["Idempotency-Key: i"])["codes"][0]
        member = {"customer": who, "coupons": [code]}

        def balance():
            return till.ask("GET", "/v1/loyalty/accounts/user/u1")["points"]

        priced = till.ask("POST", "/v1/till/price", {**BASKET, **member})
        assert priced["total"] == "4.99" and priced["coupons"] == [{"used": True, "class": "win"}], priced
        assert priced["points"] == {"earns": 49, "before": 0}, priced
        first = till.pay("k1", **member, expected_total="4.99")
        assert till.pay("k1", **member, expected_total="4.99") == first and balance() == 49
        again = till.ask("POST", "/v1/till/price", {**BASKET, **member})
        assert again["total"] == "5.99" and "why" in again["coupons"][0] and not again["coupons"][0]["used"], again
        pays = {"customer": who, "tenders": [{"kind": "points", "points": 40}, {"kind": "cash", "amount": "5.59"}]}
        till.pay("k2", 400, customer=who, tenders=[{"kind": "points", "points": 45}])
        till.pay("k3", 409, customer=who, tenders=[{"kind": "points", "points": 400}, {"kind": "cash", "amount": "1.99"}])
        second = till.pay("k4", **pays)
        assert second["receipt"]["tenders"][0] == {"kind": "points", "amount": "0.40", "points": 40}, second
        assert balance() == 49 - 40 + 59
        of = {"store": "BER", "till": "3", "receipt": {"store": "BER", "till": "3", "number": 1}}
        till.ask("POST", "/v1/till/void", {**of, "tenders": [{"kind": "cash", "amount": "4.99"}]}, 201, ["Idempotency-Key: v"])
        assert balance() == 49 - 40 + 59 - 49
        assert till.ask("POST", "/v1/till/price", {**BASKET, **member})["total"] == "4.99"  # the coupon holds again
        shop.stop()
        assert shop.run("verify")["done"]


@story
def pulling_the_plug_leaves_each_basket_whole_or_absent_and_no_answered_one_is_lost():
    with Shop() as shop:
        till = opened(shop)
        shop.send("/v1/track", event("u1", "m1"))
        account = {"customer": {"kind": "user", "value": "u1"}, "account": "balance", "currency": "EUR"}
        till.ask("POST", "/v1/accounts", account)
        till.ask("POST", "/v1/accounts/top-ups", {**account, "amount": "100000.00"}, 201, ["Idempotency-Key: t"])
        answered, pays = {}, {"customer": account["customer"], "tenders": [{"kind": "balance", "amount": "5.99"}]}

        def sell(clerk):
            for i in range(1000):
                try:
                    status, answer, _ = shop.call("POST", "/v1/till/commit", {**PAID, **pays, "till": str(clerk)},
                                                  headers=[f"Idempotency-Key: {clerk}-{i}"])
                except (OSError, ValueError, IndexError, AssertionError):
                    return
                if status != 201:
                    return
                answered[f"{clerk}-{i}"] = json.loads(answer)

        for life in range(3):
            clerks = [threading.Thread(target=sell, args=(f"{life}.{c}",)) for c in range(4)]
            for clerk in clerks:
                clerk.start()
            while sum(key.startswith(f"{life}.") for key in list(answered)) < 20:
                assert any(clerk.is_alive() for clerk in clerks), "all clerks gave up"
            shop.stop(9)
            for clerk in clerks:
                clerk.join()
            shop.start()
        for key, told in list(answered.items()):  # told again, each hears what it heard
            clerk = key.split("-")[0]
            assert till.pay(key, till=clerk, **pays) == told
        receipts = sum(receipts_of(shop, clerk) for clerk in {key.split("-")[0] for key in answered})
        left = till.ask("GET", "/v1/accounts/user/u1?currency=EUR")["available"]
        assert round((100000 - float(left)) / 5.99, 6) == receipts >= len(answered), (left, receipts, len(answered))
        shop.stop()
        assert shop.run("verify")["done"]


def receipts_of(shop, till):
    """How many receipts the till has given."""
    count = 0
    while shop.call("GET", f"/v1/receipts/BER/{till}/{count + 1}")[0] == 200:
        count += 1
    return count
