"""Accounts charged by themselves: held, captured by one of many, given back, and whole or absent when the plug is pulled."""
import json, os, threading, time

from lib import Shop, event, story
from story_checkout import shop_with_goods

WHO = {"kind": "user", "value": "u1"}
ACCOUNT = {"customer": WHO, "account": "balance", "currency": "EUR"}
HELD, POSTED = {**ACCOUNT, "capture": False}, {**ACCOUNT, "capture": True}


class Desk:
    """A shop with a shopper whose balance is topped up; each request under a key of its own, unless it is told."""

    def __init__(self, shop, amount="100.00", **limits):
        self.shop, self.asked = shop, 0
        shop.start()
        shop.send("/v1/track", event("u1", "m1"))
        self.ask("POST", "/v1/accounts", {**ACCOUNT, **limits})
        self.post("/v1/accounts/top-ups", {**ACCOUNT, "amount": amount})

    def ask(self, method, path, body=None, wants=200, headers=(), auth=None):
        status, answer, self.head = self.shop.call(method, path, b"" if body is None else body, auth, list(headers))
        assert status == wants, (method, path, body, status, answer)
        return json.loads(answer)

    def post(self, path, body=None, wants=201, key=None, **more):
        self.asked += 1
        return self.ask("POST", path, body, wants, [f"Idempotency-Key: {key or 'own-%d' % self.asked}"], **more)

    def step(self, name, verb, wants=200, key=None, **body):
        return self.post(f"/v1/payments/{name}/{verb}", body or None, wants, key)

    def payment(self, name):
        return self.ask("GET", f"/v1/payments/{name}")

    def account(self):
        told = self.ask("GET", "/v1/accounts/user/u1?currency=EUR")
        return told["balance"], told["held"], told["available"]


def kinds(payment):
    return [(step["kind"], step["amount"]) for step in payment["history"]]


def at_once(count, call):
    """What `count` clients were told who all asked at the same moment."""
    told, barrier = [], threading.Barrier(count)

    def client(number):
        barrier.wait()
        told.append(call(number))

    clients = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    return told


@story
def an_amount_is_held_captured_in_part_and_given_back_and_its_history_says_so():
    with Shop() as shop:
        desk = Desk(shop)
        held = desk.post("/v1/payments", {**HELD, "amount": "50.00", "id": "pump-4", "store": "BER", "reference": "pump 4", "hold_s": 600})
        assert (held["id"], held["state"], held["amount"], held["captured"], held["store"], held["reference"]) == ("pump-4", "authorised", "50.00", "0.00", "BER", "pump 4"), held
        assert desk.account() == ("100.00", "50.00", "50.00")
        taken = desk.step("pump-4", "capture", amount="42.10")
        assert (taken["state"], taken["captured"]) == ("captured", "42.10") and desk.account() == ("57.90", "0.00", "57.90"), taken
        assert desk.step("pump-4", "refund", amount="2.10")["state"] == "captured"
        assert "40.00 EUR is left" in desk.step("pump-4", "refund", 409, amount="40.01")["detail"]
        back = desk.step("pump-4", "refund")  # all that is left
        assert (back["state"], back["refunded"]) == ("refunded", "42.10") and desk.account()[2] == "100.00", back
        assert "is left to refund" in desk.step("pump-4", "refund", 409)["detail"]
        assert kinds(desk.payment("pump-4")) == [("authorised", "50.00"), ("captured", "42.10"), ("refunded", "2.10"), ("refunded", "40.00")]
        # at once, named by its key
        once = desk.post("/v1/payments", {**POSTED, "amount": 5}, key="k-1")
        assert (once["id"], once["state"], once["captured"], kinds(once)) == ("k-1", "captured", "5.00", [("captured", "5.00")]), once
        assert "expires" not in once and desk.account() == ("95.00", "0.00", "95.00")
        voided = desk.post("/v1/payments", {**HELD, "amount": 7, "id": "a/bc"})
        assert voided["id"] == "a/bc" and desk.step("a%2Fbc", "void")["state"] == "voided" and desk.account()[1] == "0.00"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_payment_told_again_is_the_same_and_other_content_under_its_id_is_refused():
    with Shop() as shop:
        desk = Desk(shop)
        told = {**HELD, "amount": 10, "id": "p1", "reference": "r"}
        first = desk.post("/v1/payments", told, key="a")
        assert desk.post("/v1/payments", told, key="a") == first and b"Idempotency-Replayed: true" in desk.head
        assert desk.post("/v1/payments", told, key="b") == first  # and under another key
        desk.ask("POST", "/v1/accounts", {**ACCOUNT, "account": "tab", "credit_line": 50})
        for more in {"amount": 11}, {"capture": True}, {"reference": "s"}, {"store": "BER"}, {"account": "tab"}:
            refused = desk.post("/v1/payments", {**told, **more}, 422)
            assert "take a new id" in refused["detail"], refused
        desk.post("/v1/payments", {**told, "amount": 11}, 422, key="a")  # the key's own content, too
        taken = desk.step("p1", "capture", key="c", amount=4)
        assert desk.step("p1", "capture", key="c", amount=4) == taken
        assert desk.post("/v1/payments", told)["state"] == "captured"  # as it is now
        back = desk.step("p1", "refund", key="d", amount=1)
        assert desk.step("p1", "refund", key="d", amount=1) == back and desk.account()[2] == "97.00"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def what_an_account_may_not_pay_is_refused_in_words_and_holds_nothing():
    with Shop() as shop:
        desk = Desk(shop, "100.00", confirm_above="20.00", limit_basket="60.00", limit_day="90.00")
        for wants, words, more in [
                (409, "take less", {"amount": "100.01", "confirmed": True, "currency": "EUR"}),
                (403, "send this again with `confirmed`", {"amount": "20.01"}),
                (403, "at once", {"amount": "60.01", "confirmed": True}),
                (404, "nobody has this user", {"amount": 1, "customer": {"kind": "user", "value": "u9"}}),
                (404, "open one", {"amount": 1, "currency": "USD"}),
                (404, "open one", {"amount": 1, "account": "tab"}),
                (400, "2 decimal places", {"amount": "1.001"}),
                (400, "amount", {"amount": 0}),
                (400, "amount", {"amount": "-1"}),
                (400, "hold_s", {"amount": 1, "capture": True, "hold_s": 60}),
                (400, "hold_s", {"amount": 1, "hold_s": 2592001}),
                (400, "capture must be told", {"amount": 1, "capture": ...}),
                (400, "send a UUID", {"amount": 1, "id": "two words"}),
                (400, "payment card", {"amount": 1, "id": "4111111111111111"}),
                (400, "payment card", {"amount": 1, "reference": "4111 1111 1111 1111"}),
                (400, "there is no such member", {"amount": 1, "amuont": 1})]:
            body = {key: value for key, value in {**HELD, **more}.items() if value is not ...}
            refused = desk.post("/v1/payments", body, wants, key="r")
            assert words in refused["detail"], (more, refused)
        desk.ask("POST", "/v1/payments", {**HELD, "amount": 1}, 400)  # no key
        assert "send a UUID" in desk.post("/v1/payments", {**HELD, "amount": 1}, 400, key="x" * 65)["detail"]
        assert desk.account() == ("100.00", "0.00", "100.00")
        desk.post("/v1/payments", {**HELD, "amount": "50.00", "confirmed": True}, key="r")  # the key is free
        assert "pay in another way, or tomorrow" in desk.post("/v1/payments", {**HELD, "amount": "40.01", "confirmed": True}, 403)["detail"]
        desk.step("r", "void")
        desk.post("/v1/payments", {**HELD, "amount": "40.01", "confirmed": True, "id": "h"})  # what was freed today counts no more
        for verb, wants, words, more in [
                ("refund", 409, "only held", {}), ("capture", 409, "40.01 EUR is held", {"amount": 41}), ("capture", 400, "2 decimal places", {"amount": "0.001"}),
                ("void", 400, "there is no such member", {"amount": 1}), ("capture", 200, "", {}), ("capture", 409, "already captured", {}),
                ("void", 409, "already captured", {})]:
            assert words in desk.step("h", verb, wants, **more).get("detail", ""), (verb, more)
        assert "was voided" in desk.step("r", "capture", 409)["detail"] and "nothing was captured" in desk.step("r", "refund", 409)["detail"]
        assert "there is no payment" in desk.step("nothing", "capture", 404)["detail"]
        desk.ask("GET", "/v1/payments/nothing", wants=404)
        # a till's token pays, and reads no statements
        till = "Bearer " + json.loads(shop.call("POST", "/v1/tokens", {"scopes": ["till"], "name": "till"})[1])["token"]
        desk.ask("GET", "/v1/payments/h", auth=till)
        desk.ask("GET", "/v1/accounts/user/u1/entries?currency=EUR", None, 403, auth=till)
        reader = "Bearer " + json.loads(shop.call("POST", "/v1/tokens", {"scopes": ["read"], "name": "desk"})[1])["token"]
        desk.post("/v1/payments", {**HELD, "amount": 1}, 403, auth=reader)
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_day_s_limit_goes_by_the_day_of_the_store():
    with Shop() as shop:
        desk = Desk(shop, limit_day="10.00")
        for code, zone in ("WEST", "Pacific/Pago_Pago"), ("EAST", "Pacific/Kiritimati"):  # 25 hours apart: never one day
            desk.ask("PUT", f"/v1/stores/{code}", {"name": code, "time_zone": zone, "currency": "EUR"}, 201, ["If-None-Match: *"])
        pay = lambda store, amount, wants=201: desk.post("/v1/payments", {**POSTED, "amount": amount, "store": store}, wants)
        desk.ask("POST", "/v1/prices", {"prices": [{"product": "TEA", "price": 1, "currency": "EUR"}]}, 201)  # the stores are taken up with it
        pay("WEST", "6.00")
        pay("WEST", "4.00")
        pay("WEST", "0.01", 403)
        pay("EAST", "10.00")  # tomorrow, in the east
        pay("EAST", "0.01", 403)
        pay("WEST", "0.01", 403)  # a day that went back counts with the later one


@story
def a_hold_that_is_over_is_free_again_and_cannot_be_captured():
    with Shop() as shop:
        desk = Desk(shop)
        desk.post("/v1/payments", {**HELD, "amount": 30, "id": "short", "hold_s": 1})
        desk.post("/v1/payments", {**HELD, "amount": 5, "id": "long"})
        while desk.payment("short")["state"] == "authorised" or desk.account()[1] != "5.00":
            time.sleep(0.05)  # its end is told by its state, and by what is held
        assert desk.account() == ("100.00", "5.00", "95.00")
        for verb in "capture", "void":
            assert "hold was over" in desk.step("short", verb, 409)["detail"]
        assert "nothing was captured" in desk.step("short", "refund", 409)["detail"]
        assert kinds(desk.payment("short")) == [("authorised", "30.00"), ("expired", "30.00")]
        told = [(entry["kind"], entry["amount"], entry["moved"], entry.get("payment")) for entry in desk.ask("GET", "/v1/accounts/user/u1/entries?currency=EUR")["entries"]]
        assert told == [("expired", "30.00", False, "short"), ("held", "-5.00", False, "long"), ("held", "-30.00", False, "short"), ("posted", "100.00", True, None)], told


@story
def a_statement_is_read_in_pages_that_join_without_a_gap():
    with Shop() as shop:
        desk = Desk(shop)
        for i in range(7):
            desk.post("/v1/payments", {**POSTED, "amount": i + 1, "id": f"p{i}"})
        desk.step("p3", "refund", amount=1)
        path, pages, seen = "/v1/accounts/user/u1/entries?currency=EUR", 0, []
        link = path + "&limit=4"
        while link:
            page = desk.ask("GET", link)
            seen, pages = seen + page["entries"], pages + 1
            found = [line.split(b"<")[1].split(b">")[0].decode() for line in desk.head.split(b"\r\n") if line.lower().startswith(b"link:")]
            assert bool(found) == ("next_cursor" in page), (page, desk.head)
            link = found[0] if found else None
            desk.post("/v1/payments", {**POSTED, "amount": "0.01"})  # what comes meanwhile moves no page
        assert pages == 3 and [(e["amount"], e.get("payment")) for e in seen] == [("1.00", "p3")] + [(f"-{i + 1}.00", f"p{i}") for i in reversed(range(7))] + [("100.00", None)], seen
        assert all(a["number"] > b["number"] for a, b in zip(seen, seen[1:]))
        for wrong in "&cursor=0", "&cursor=x", "&limit=0", "&limit=201", "&account=gift":
            desk.ask("GET", path + wrong, None, 400)
        desk.ask("GET", path.replace("EUR", "USD"), None, 404)


@story
def of_eight_who_capture_one_hold_one_does_and_refunds_never_give_more_than_was_taken():
    with Shop() as shop:
        desk = Desk(shop)
        call = lambda key, path, body: shop.call("POST", path, body, headers=[f"Idempotency-Key: {key}"])[0]
        for turn in range(5):
            desk.post("/v1/payments", {**HELD, "amount": 10, "id": f"h{turn}"})
            told = at_once(8, lambda i: call(f"c{turn}.{i}", f"/v1/payments/h{turn}/{'void' if i == 7 else 'capture'}", {} if i == 7 else {"amount": 8}))
            assert sorted(told) == [200] + [409] * 7, told
            if desk.payment(f"h{turn}")["state"] == "captured":
                told = at_once(8, lambda i: call(f"r{turn}.{i}", f"/v1/payments/h{turn}/refund", {"amount": 3}))
                assert sorted(told) == [200, 200] + [409] * 6, told
                assert desk.payment(f"h{turn}")["refunded"] == "6.00"
        # one payment told by eight under keys of their own, and eight for what is there but once
        assert at_once(8, lambda i: call(f"s{i}", "/v1/payments", {**POSTED, "amount": 1, "id": "same"})) == [201] * 8
        left = float(desk.account()[2])
        told = at_once(8, lambda i: call(f"l{i}", "/v1/payments", {**POSTED, "amount": f"{left:.2f}"}))
        assert sorted(told) == [201] + [409] * 7 and desk.account() == ("0.00", "0.00", "0.00"), told
        shop.stop()
        assert shop.run("verify")["done"]


@story
def pulling_the_plug_loses_no_answered_step_of_a_payment_and_does_none_twice():
    with Shop() as shop:
        desk = Desk(shop, "100000.00")
        answered = {}  # key: what was asked and told

        def told(key, path, body):
            try:
                status, answer, _ = shop.call("POST", path, body, headers=[f"Idempotency-Key: {key}"])
            except (OSError, ValueError, IndexError, AssertionError):
                return False
            if status < 300:
                answered[key] = (path, body, status, json.loads(answer))
            return status < 300

        def client(name):
            for i in range(1000):
                payment = f"{name}-{i}"
                if not (told(payment, "/v1/payments", {**HELD, "amount": 10}) and told(payment + "c", f"/v1/payments/{payment}/capture", {"amount": 9}) and
                        told(payment + "r", f"/v1/payments/{payment}/refund", {"amount": 2})):
                    return

        for life in range(3):
            clients = [threading.Thread(target=client, args=(f"{life}.{c}",)) for c in range(4)]
            for each in clients:
                each.start()
            while sum(key.startswith(f"{life}.") for key in list(answered)) < 40:
                assert any(each.is_alive() for each in clients), "all clients gave up"
            shop.stop(9)
            for each in clients:
                each.join()
            shop.start()
        for key, (path, body, status, answer) in list(answered.items()):
            assert desk.post(path, body, status, key) == answer
        # every payment that is there adds up to what is gone, answered or not
        names, cursor = set(), ""
        while cursor is not None:
            page = desk.ask("GET", "/v1/accounts/user/u1/entries?currency=EUR&limit=200" + cursor)
            names |= {entry["payment"] for entry in page["entries"] if "payment" in entry}
            cursor = "&cursor=" + page["next_cursor"] if "next_cursor" in page else None
        assert names >= {answer["id"] for _, _, _, answer in answered.values()}
        payments = [desk.payment(name) for name in names]
        taken = sum(float(each["captured"]) - float(each["refunded"]) for each in payments)
        held = sum(float(each["amount"]) for each in payments if each["state"] == "authorised")
        balance, in_hold, _ = desk.account()
        assert (round(100000 - taken, 2), round(held, 2)) == (float(balance), float(in_hold)), (taken, held, desk.account())
        shop.stop()
        assert shop.run("verify")["done"]


BASKET = {"store": "BER", "till": "3", "lines": [{"scan": "4006381333931", "quantity": 3}, {"product": "SALT"}]}


@story
def a_suspended_basket_is_taken_up_at_one_other_till_and_sealed_where_it_lies():
    with Shop() as shop:
        desk = Desk(shop)
        shop_with_goods(desk.ask)
        kept = desk.post("/v1/baskets", {"basket": BASKET, "who": "Clerk-Ada", "customer": WHO}, key="b1")
        assert desk.post("/v1/baskets", {"basket": BASKET, "who": "Clerk-Ada", "customer": WHO}, key="b1") == kept
        assert (kept["version"], kept["till"], kept["lines"], kept["who"], kept["customer"], kept["basket"]) == (1, "3", 2, "Clerk-Ada", WHO, BASKET), kept
        path = "/v1/baskets/" + kept["id"]
        listed = desk.ask("GET", "/v1/baskets?store=BER")["baskets"]
        assert [(each["id"], each["till"], each["lines"], "basket" in each) for each in listed] == [(kept["id"], "3", 2, False)], listed
        assert desk.ask("GET", "/v1/baskets?store=MUC")["baskets"] == []
        desk.ask("GET", "/v1/baskets", None, 400)
        assert desk.ask("GET", path) == kept and b'ETag: "v1"' in desk.head, desk.head
        assert shop.call("GET", path, headers=['If-None-Match: "v1"'])[0] == 304
        # at till 7 a line more
        more = {**BASKET, "till": "7", "lines": [*BASKET["lines"], {"product": "SALT", "quantity": 2}]}
        desk.ask("PUT", path, {"basket": more}, 428)
        desk.ask("PUT", path, {"basket": more}, 412, ['If-Match: "v9"'])
        assert "take it up there" in desk.ask("PUT", path, {"basket": {**more, "store": "MUC", "currency": "EUR"}}, 409, ['If-Match: "v1"'])["detail"]
        changed = desk.ask("PUT", path, {"basket": more}, 200, ['If-Match: "v1"'])
        assert (changed["version"], changed["till"], changed["lines"], changed["basket"]) == (2, "7", 3, more) and "who" not in changed, changed
        assert desk.ask("POST", "/v1/till/price", changed["basket"])["total"] == "7.97"
        for wrong, words in [({}, "basket is missing"), ({"basket": {**BASKET, "lines": [{"product": "COFFEE"}]}}, "there is no product"), ({"basket": 7}, "object"),
                             ({"basket": BASKET, "who": "4111 1111 1111 1111"}, "payment card"), ({"basket": BASKET, "tenders": []}, "no such member")]:
            assert words in desk.post("/v1/baskets", wrong, 400)["detail"], wrong
        # nobody's name lies in clear
        shop.stop()
        for folder, _, files in os.walk(shop.data):
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    assert b"Clerk-Ada" not in opened.read(), file
        shop.start()
        told = at_once(8, lambda i: shop.call("DELETE", path, headers=['If-Match: "v2"'])[0])
        assert sorted(told) == [200] + [404] * 7, told
        for method in "GET", "PUT", "DELETE":
            assert "was taken up" in desk.ask(method, path, {"basket": more}, 404, ['If-Match: "v2"'])["detail"]
        desk.ask("GET", "/v1/baskets/x", None, 404)
        assert desk.ask("GET", "/v1/baskets?store=BER")["baskets"] == []
