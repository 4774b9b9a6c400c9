"""What a shop tells by mistake, and what somebody tells on purpose: each is refused in words, and the tills go on selling."""
from lib import Shop, event, story
from story_checkout import NEW, Till, opened


def offered(till, lines, **more):
    """What the basket costs, and the offers that held."""
    priced = till.ask("POST", "/v1/till/price", {"store": "BER", "lines": lines, **more})
    return priced["total"], [offer["offer"] for offer in priced["offers"]]


def offer(till, number, wants=201, headers=NEW, **rule):
    return till.ask("PUT", f"/v1/offers/{number}", {"name": f"offer {number}", "offer": {"id": number, **rule}}, wants, headers)


@story
def an_offer_that_contradicts_another_is_refused_and_all_the_others_still_hold():
    with Shop() as shop:
        till = opened(shop)
        teas = [{"product": "TEA", "quantity": 3}]
        offer(till, 20, kind="percent_off", percent=10, on={"products": ["SALT"]}, group="A")
        refused = offer(till, 21, 400, kind="basket_percent", percent=10, group="A")
        assert "offer 20 on units and offer 21 on the basket" in refused["detail"], refused
        assert offered(till, teas) == ("5.00", [7])
        offer(till, 21, kind="basket_percent", percent=10, group="B")
        tag = shop.call("GET", "/v1/offers/20")[2].decode().partition("ETag: ")[2].split("\r\n")[0]
        refused = offer(till, 20, 400, [f"If-Match: {tag}"], kind="percent_off", percent=10, group="B")
        assert "different groups" in refused["detail"], refused
        assert offered(till, teas) == ("4.50", [7, 21])


@story
def an_offer_without_a_currency_holds_in_each_even_where_no_store_names_one():
    with Shop() as shop:
        shop.start()
        till = Till(shop)
        till.ask("POST", "/v1/prices", {"prices": [{"product": "TEA", "price": 2, "currency": "USD"}, {"product": "CHA", "price": 200, "currency": "JPY"}]}, 201)
        offer(till, 1, kind="percent_off", percent=50)
        assert offered(till, [{"product": "TEA"}]) == ("1.00", [1])
        assert offered(till, [{"product": "CHA"}]) == ("100", [1])


@story
def so_many_prices_of_one_product_are_refused_and_all_others_are_told_and_sold():
    with Shop() as shop:
        till = opened(shop)
        tell = lambda *prices: shop.call("POST", "/v1/prices", {"prices": list(prices)})
        price = lambda product, **more: {"product": product, "price": 2, "currency": "EUR", **more}
        flood = [tell(*(price("TEA", store=f"S{500 * i + j}") for j in range(500)))[0] for i in range(24)]
        assert 400 in flood and flood[:17] == [201] * 17, flood
        assert tell(price("NEW"))[0] == 201
        shop.stop()
        shop.start()
        assert offered(till, [{"product": "NEW"}])[0] == "2.00"
        assert offered(till, [{"product": "TEA"}], store="S77", currency="EUR")[0] == "2.00"
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_price_that_changes_ten_thousand_times_is_the_last_one_told():
    with Shop() as shop:
        till = opened(shop)
        for i in range(24):
            till.ask("POST", "/v1/prices", {"prices": [{"product": "TEA", "price": 1 + i, "currency": "EUR", "from": f"2024-{1 + i // 2:02}-{1 + j // 24:02}T{j % 24:02}:{i % 2:02}:00Z"}
                                                       for j in range(500)]}, 201)
        assert offered(till, [{"product": "TEA"}])[0] == "24.00"
        shop.stop()
        shop.start()
        assert offered(till, [{"product": "TEA"}])[0] == "24.00"


def label(digits):
    """With its check digit."""
    return digits + str(-sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(digits)) % 10)


@story
def a_label_that_weighs_nothing_is_no_kilogram():
    with Shop() as shop:
        till = opened(shop)
        till.ask("PUT", "/v1/measures/all", {"templates": ["21IIIIIVVVVVC weight g", "22IIIIIVVVVVC price 0.01"]}, 201, NEW)
        till.ask("POST", "/v1/prices", {"prices": [{"product": "12345", "price": 3, "currency": "EUR"}]}, 201)
        refused = till.ask("POST", "/v1/till/price", {"store": "BER", "lines": [{"scan": label("211234500000")}]}, 400)
        assert "weighs nothing" in refused["detail"], refused
        assert offered(till, [{"scan": label("221234500499")}])[0] == "4.99"


@story
def the_number_of_a_card_comes_in_by_no_label_list_lot_or_offer():
    with Shop() as shop:
        till, card = opened(shop), "4111111111111111"
        for scan in ("(01)04006381333931(21)" + card, "(01)04006381333931(10)" + card, "https://id.gs1.org/01/04006381333931/21/" + card, card):
            refused = till.ask("POST", "/v1/till/price", {"store": "BER", "lines": [{"scan": scan}]}, 400)
            assert "card" in refused["detail"] and card not in refused["detail"], refused
        assert offered(till, [{"scan": "(01)04006381333931(21)A4711(10)L1"}])[0] == "2.50"
        till.ask("POST", "/v1/prices", {"prices": [{"product": "TEA", "price": 1, "currency": "EUR", "list": card}]}, 400)
        for field in ("location", "lot"):
            line = {"location": "BER", "product": "TEA", "quantity": 1, field: card}
            till.ask("POST", "/v1/stock/movements", {"kind": "received", "lines": [line]}, 400, [f"Idempotency-Key: {field}"])
        till.ask("PUT", "/v1/offers/8", {"name": card, "offer": {"id": 8, "kind": "percent_off", "percent": 1}}, 400, NEW)


@story
def that_a_shopper_confirmed_is_said_of_her_own_account():
    with Shop() as shop:
        till = opened(shop)
        shop.send("/v1/track", event("u1", "m1"))
        who = {"kind": "user", "value": "u1"}
        for account in ("balance", "tab"):
            till.ask("POST", "/v1/accounts", {"customer": who, "account": account, "currency": "EUR", "confirm_above": "1.00", **({"credit_line": 50} if account == "tab" else {})})
        till.ask("POST", "/v1/accounts/top-ups", {"customer": who, "account": "balance", "currency": "EUR", "amount": 50}, 201, ["Idempotency-Key: t"])
        pay = lambda key, wants, *tenders: till.pay(key, wants, customer=who, tenders=list(tenders))
        cash, card = {"kind": "cash", "amount": "0.99", "confirmed": True}, {"kind": "balance", "amount": "5.00"}
        assert "confirmation" in pay("a", 403, cash, card)["detail"]
        pay("b", 403, {**card, "confirmed": True}, {"kind": "tab", "amount": "0.99"})
        pay("c", 201, cash, {**card, "confirmed": True})
        assert till.ask("GET", "/v1/accounts/user/u1?currency=EUR&account=balance")["available"] == "45.00"
        till.ask("GET", "/v1/accounts/user/u1?currency=EUR&account=gift", wants=400)


@story
def a_basket_of_a_thousand_lines_is_sold_and_void_and_one_that_is_too_much_is_told_so():
    with Shop() as shop:
        till = opened(shop)
        lines = [{"product": "TEA", "quantity": 2}] * 1000
        total = offered(till, lines)[0]
        cash = {"tenders": [{"kind": "cash", "amount": total}]}
        sale = till.pay("k1", lines=lines, expected_total=total, **cash)
        till.ask("POST", "/v1/till/void", {"store": "BER", "till": "3", "receipt": {"store": "BER", "till": "3", "number": sale["number"]}, **cash}, 201, ["Idempotency-Key: v1"])
        for i in range(15):
            till.ask("PUT", f"/v1/offers/{100 + i}", {"name": 199 * "x", "offer": {"id": 100 + i, "kind": "percent_off", "percent": 1}}, 201, NEW)
        total = offered(till, lines)[0]
        refused = till.pay("k2", 413, lines=lines, expected_total=total, tenders=[{"kind": "cash", "amount": total}])
        assert "part the lines" in refused["detail"], refused
        shop.stop()
        assert shop.run("verify")["done"]


@story
def a_tax_of_more_rates_than_a_sale_can_book_is_refused_before_the_first_sale():
    with Shop() as shop:
        till = opened(shop)
        names = [f"rate {i}" for i in range(25)]
        tax = lambda some: {"prices": "with_tax", "rates": [{"name": name, "percent": 1} for name in some], "classes": {"all": some}, "usual": "all"}
        assert "at most 24" in till.ask("PUT", "/v1/taxes/BER", tax(names), 400, NEW)["detail"]
        till.ask("PUT", "/v1/taxes/BER", tax(names[1:]), 201, NEW)
        teas = [{"product": "TEA", "quantity": 600}]
        assert offered(till, teas)[0] == "1000.00"
        till.pay("k", lines=teas, expected_total="1000.00", tenders=[{"kind": "cash", "amount": 100}] * 7 + [{"kind": "card", "amount": 300}])
        shop.stop()
        assert shop.run("verify")["done"]
