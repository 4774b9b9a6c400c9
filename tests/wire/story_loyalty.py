"""Points and coupons over the wire: a programme, hands that give and take, families, codes that hold once."""
import json, threading, uuid

from lib import Shop, event, story

CLUB = {"name": "Tea Club", "currency": "EUR",
        "earn": {"points": 1, "per": "1.00", "rules": [{"name": "double tea", "tags": ["tea"], "multiply": 2}, {"tags": ["tobacco"], "multiply": 0}]},
        "expire": {"months": 24, "end_of": "month"}, "worth": {"points": 100, "amount": "1.00", "step": 100},
        "tiers": {"levels": [{"name": "silver", "from": "500.00", "multiply": 1.25}]}}


class Club:
    """A shop with a programme and shoppers u1, u2."""

    def __init__(self, shop):
        self.shop = shop
        shop.start()
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2")]})
        assert self.call("PUT", "/v1/loyalty/programme", CLUB, 201, ["If-None-Match: *"])["version"] == 1

    def call(self, method, path, body=None, wants=200, headers=(), auth=None):
        keyed = [f"Idempotency-Key: {uuid.uuid4()}"] if method == "POST" and not any("Idempotency" in h for h in headers) else []
        status, answer, _ = self.shop.call(method, path, b"" if body is None else body, auth=auth, headers=[*headers, *keyed])
        assert status == wants, (method, path, status, answer)
        return json.loads(answer)

    def who(self, name):
        return {"kind": "user", "value": name}

    def account(self, name):
        return self.call("GET", f"/v1/loyalty/accounts/user/{name}")

    def adjust(self, name, points, wants=200, **more):
        return self.call("POST", "/v1/loyalty/adjust", {"customer": self.who(name), "points": points, "reason": "a kettle leaked", **more}, wants)

    def verified(self):
        done = self.shop.run("verify")
        assert done["done"], done


@story
def loyalty_points_are_given_and_taken_by_hand_once_for_each_key():
    with Shop() as shop:
        club = Club(shop)
        assert club.account("u1")["points"] == 0
        key = ["Idempotency-Key: k1"]
        body = {"customer": club.who("u1"), "points": 500, "reason": "welcome", "by": "ann"}
        first = club.call("POST", "/v1/loyalty/adjust", body, 200, key)
        assert first["points"] == 500 and first["next_expiry"]["points"] == 500, first
        assert club.call("POST", "/v1/loyalty/adjust", body, 200, key) == first
        club.call("POST", "/v1/loyalty/adjust", {**body, "points": 501}, 422, key)
        assert club.adjust("u1", -200)["points"] == 300
        refused = club.adjust("u1", -301, 409)
        assert "300 points are there, and 301" in refused["detail"], refused
        assert "0 change nothing" in club.adjust("u1", 0, 400)["detail"]
        account = club.account("u1")
        assert account["points"] == 300 and account["worth"] == "3" and account["tier"]["name"] is None, account
        entries = club.call("GET", "/v1/loyalty/accounts/user/u1/entries")["entries"]
        assert [(e["kind"], e["points"]) for e in entries] == [("adjusted", -200), ("adjusted", 500)], entries
        page = club.call("GET", "/v1/loyalty/accounts/user/u1/entries?limit=1")
        assert page["next_before"] == page["entries"][0]["id"]
        assert club.call("GET", "/v1/loyalty/totals")["liability"] == 300
        club.call("GET", "/v1/loyalty/accounts/user/nobody", wants=404)
        club.verified()


@story
def loyalty_a_basket_is_previewed_by_rule():
    with Shop() as shop:
        club = Club(shop)
        basket = {"currency": "EUR", "customer": club.who("u1"),
                  "lines": [{"product": "A", "amount": "10.00"}, {"amount": 5, "tags": ["tea"]}, {"amount": "9.99", "tags": ["tobacco"]}]}
        told = club.call("POST", "/v1/loyalty/preview", basket)
        assert told["points"] == 20 and told["lines"] == [{"line": 1, "points": 10}, {"line": 2, "points": 10}], told
        assert club.call("POST", "/v1/loyalty/preview", {**basket, "currency": "USD"})["points"] == 0
        bad = club.call("POST", "/v1/loyalty/preview", {**basket, "lines": [{"amont": 1}]}, 400)
        assert bad["detail"] == "lines[0].amont: there is no such member: do you mean amount?", bad
        bad = club.call("PUT", "/v1/loyalty/programme", {**CLUB, "earn": {"points": 1, "pre": 1}}, 400, ['If-Match: "v1"'])
        assert bad["detail"] == "earn.pre: there is no such member: do you mean per?", bad
        club.call("PUT", "/v1/loyalty/programme", CLUB, 428)
        assert club.call("PUT", "/v1/loyalty/programme", CLUB, 200, ['If-Match: "v1"'])["version"] == 2


@story
def loyalty_a_family_has_one_pot_that_each_burns_to_a_limit():
    with Shop() as shop:
        club = Club(shop)
        club.adjust("u1", 100)
        family = club.call("POST", "/v1/loyalty/families", {"customer": club.who("u1"), "name": "Miller"}, 201)["family"]
        at = f"/v1/loyalty/families/{family}"
        club.call("POST", at + "/accept", {"customer": club.who("u2")}, 404)
        club.call("POST", at + "/invite", {"member": club.who("u2"), "customer": club.who("u1")}, 403)
        club.call("POST", at + "/invite", {"member": club.who("u1"), "customer": club.who("u2"), "month_most": 30})
        assert club.call("POST", at + "/accept", {"customer": club.who("u2")})["state"] == "member"
        club.adjust("u2", 70)  # goes to the pot
        told = club.call("GET", at)
        assert told["points"] == 70 and [m["state"] for m in told["members"]] == ["member", "member"], told
        assert club.account("u1")["points"] == 170 and club.account("u2")["points"] == 70
        assert club.call("POST", at + "/leave", {"customer": club.who("u2")})["state"] == "left"
        assert club.account("u2")["points"] == 0
        club.call("GET", "/v1/loyalty/families/99", wants=404)
        club.verified()


@story
def loyalty_merged_persons_have_both_accounts_until_they_are_two_again():
    with Shop() as shop:
        club = Club(shop)
        club.adjust("u1", 100)
        club.adjust("u2", 50)
        club.call("POST", "/v1/shoppers/merge", {"a": club.who("u1"), "b": club.who("u2"), "by": "clerk", "reason": "both cards"})
        assert club.account("u1")["points"] == club.account("u2")["points"] == 150
        club.call("POST", "/v1/shoppers/unmerge", {"a": club.who("u1"), "by": "clerk"})
        assert club.account("u1")["points"] == 100 and club.account("u2")["points"] == 50


def tea(club, limits=None, **more):
    form = {"title": "10 % off tea", "offer": "tea", **({"limits": limits} if limits else {}), **more}
    return club.call("PUT", "/v1/loyalty/coupons/tea10", form, 201, ["If-None-Match: *"])


@story
def loyalty_a_code_is_shown_once_and_redeemed_once():
    with Shop() as shop:
        club = Club(shop)
        tea(club, {"person": 1})
        issued = club.call("POST", "/v1/loyalty/coupons/tea10/codes", {"count": 3}, 201)
        assert len(set(issued["codes"])) == 3 and all(len(code) == 30 for code in issued["codes"]), issued
        code, other, third = issued["codes"]
        with_ann = {"code": code.lower().replace("-", " "), "customer": club.who("u1")}
        assert club.call("POST", "/v1/loyalty/coupons/look", with_ann)["good"]
        nameless = club.call("POST", "/v1/loyalty/coupons/look", {"code": code})
        assert not nameless["good"] and "tell who redeems it" in nameless["why"], nameless
        key = ["Idempotency-Key: r1"]
        done = club.call("POST", "/v1/loyalty/coupons/redeem", with_ann, 200, key)
        assert done["offer"] == "tea" and club.call("POST", "/v1/loyalty/coupons/redeem", with_ann, 200, key) == done
        again = club.call("POST", "/v1/loyalty/coupons/redeem", with_ann, 409)
        assert again["detail"] == "coupon '10 % off tea': this code was redeemed already", again
        again = club.call("POST", "/v1/loyalty/coupons/redeem", {**with_ann, "code": other}, 409)
        assert "1 times by this person" in again["detail"], again
        assert club.call("POST", "/v1/loyalty/coupons/restore", {"receipt": done["receipt"]})["restored"] == 1
        assert club.call("POST", "/v1/loyalty/coupons/restore", {"receipt": done["receipt"]})["restored"] == 0
        club.call("POST", "/v1/loyalty/coupons/redeem", {**with_ann, "code": other}, 200)
        assert club.call("POST", "/v1/loyalty/coupons/tea10/revoke", {"batch": issued["batch"]})["revoked"] == 3
        assert "withdrawn" in club.call("POST", "/v1/loyalty/coupons/look", {"code": third, "customer": club.who("u2")})["why"]
        club.verified()


@story
def loyalty_who_guesses_codes_has_to_wait():
    with Shop() as shop:
        club = Club(shop)
        for i in range(30):
            assert club.call("POST", "/v1/loyalty/coupons/look", {"code": f"GUESS{i}"}, 404)["detail"].startswith("this coupon code is not known")
        status, _, head = shop.call("POST", "/v1/loyalty/coupons/look", {"code": "GUESS30"})
        assert status == 429 and b"retry-after: " in head.lower(), (status, head)


@story
def loyalty_sixty_four_clients_redeem_one_coupon_and_one_of_them_gets_it():
    with Shop() as shop:
        club = Club(shop)
        tea(club)
        code = club.call("POST", "/v1/loyalty/coupons/tea10/codes", {"count": 1}, 201)["codes"][0]
        answers = []

        def redeem(number):
            key = f"Idempotency-Key: race-{number}"
            for _ in range(2):  # and each sends it twice
                answers.append(shop.call("POST", "/v1/loyalty/coupons/redeem", {"code": code}, headers=[key])[0])

        clients = [threading.Thread(target=redeem, args=(number,)) for number in range(64)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert answers.count(200) == 2 and set(answers) <= {200, 409, 503}, answers
        assert club.call("GET", "/v1/loyalty/totals")["coupons_redeemed"] == 1
        club.verified()


@story
def loyalty_classes_are_listed_and_a_payment_card_names_nobody():
    with Shop() as shop:
        club = Club(shop)
        tea(club)
        code = club.call("POST", "/v1/loyalty/coupons/tea10/codes", {"count": 1}, 201)["codes"][0]
        assert club.call("GET", "/v1/loyalty/coupons")["classes"][0]["class"] == "tea10"
        club.call("GET", "/v1/loyalty/coupons/none", wants=404)
        club.call("POST", "/v1/loyalty/coupons/look", {"code": "4111 1111 1111 1111", "customer": {"kind": "card", "value": "4111111111111111"}}, 400)
        assert club.call("POST", "/v1/loyalty/coupons/look", {"code": code})["good"]


@story
def loyalty_ten_thousand_codes_go_into_a_file():
    import os
    with Shop() as shop:
        club = Club(shop)
        tea(club)
        path = os.path.join(os.path.dirname(shop.data), "codes.csv")
        assert shop.run("coupons", "tea10", "10000", path)["codes"] == 10000
        assert "there is such a file" in shop.run("coupons", "tea10", "1", path, fails=1)
        with open(path, newline="") as file:
            rows = file.read().split("\r\n")
        assert rows[0] == "code" and rows[-1] == "" and len(set(rows)) == 10002, len(rows)
        assert club.call("POST", "/v1/loyalty/coupons/look", {"code": rows[5000]})["good"]
        assert club.call("GET", "/v1/loyalty/totals")["coupons_issued"] == 10000
        assert oct(os.stat(path).st_mode)[-3:] == "600"
        assert club.call("POST", "/v1/loyalty/coupons/tea10/revoke", {"batch": 1})["revoked"] == 10000
        _, metrics, _ = shop.call("GET", "/metrics")
        assert b"souk_loyalty_codes_looked_total 1\n" in metrics, metrics


@story
def loyalty_a_kill_in_the_middle_of_redemptions_loses_none_and_doubles_none():
    import signal
    with Shop() as shop:
        club = Club(shop)
        tea(club, {"all": 40}, kind="multi", uses=100)
        code = club.call("POST", "/v1/loyalty/coupons/tea10/codes", {"count": 1}, 201)["codes"][0]
        answered = {}

        def redeem(number):
            try:
                answered[number] = shop.call("POST", "/v1/loyalty/coupons/redeem", {"code": code}, headers=[f"Idempotency-Key: kill-{number}"])[0]
            except Exception:
                answered[number] = None  # nobody knows

        clients = [threading.Thread(target=redeem, args=(number,)) for number in range(60)]
        for client in clients[:20]:
            client.start()
        clients[0].join()
        for client in clients[20:]:
            client.start()
        shop.stop(signal.SIGKILL)
        for client in clients:
            client.join()
        shop.start()
        for number in range(60):
            if answered[number] != 200:
                answered[number] = shop.call("POST", "/v1/loyalty/coupons/redeem", {"code": code}, headers=[f"Idempotency-Key: kill-{number}"])[0]
        assert list(answered.values()).count(200) == 40, answered
        assert club.call("GET", "/v1/loyalty/totals")["coupons_redeemed"] == 40
        club.verified()
