"""What a shop tells by mistake, and what somebody tells on purpose: each is refused in words, and the tills go on selling."""
from lib import Shop, story
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
