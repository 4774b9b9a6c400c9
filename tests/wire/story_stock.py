"""Stock over the API: received, sold, kept back, sent, counted, promised; raced for; and killed in the middle of it."""
import datetime, json, signal, threading, time, uuid

from lib import ON_POSTGRES, Shop, story
from story_api import Proxy, tool
from story_checkout import opened


def post(shop, path, body, key=None, method="POST"):
    status, answer, head = shop.call(method, "/v1/stock" + path, body, headers=["Idempotency-Key: " + (key or str(uuid.uuid4()))])
    return status, json.loads(answer), head


def line(location, product, quantity, **more):
    return {"location": location, "product": product, "quantity": quantity, **more}


def move(shop, kind, *lines, key=None, **more):
    return post(shop, "/movements", {"kind": kind, "lines": list(lines), **more}, key)


def later(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def level(shop, location, product):
    status, told = shop.get(f"/v1/stock/{location}/{product}")
    return (told["on_hand"], told["reserved"], told["free"]) if status == 200 else None


@story
def goods_come_are_sold_once_under_a_key_and_refused_in_words():
    with Shop() as shop:
        shop.start()
        status, told, _ = move(shop, "received", line("SH-014", "tea", "10", lot="L1", expires="2027-03-01"), line("SH-014", "tea", 5, lot="L2", expires="2027-01-01"),
                               line("WH", "salt", "2.5"))
        assert status == 201 and [m["on_hand"] for m in told["moved"]] == ["10", "15", "2.5"], (status, told)
        sale = [line("SH-014", "tea", "6")]
        first = move(shop, "sold", *sale, key="k-1")
        again = move(shop, "sold", *sale, key="k-1")
        assert first[0] == again[0] == 201 and first[1] == again[1] and b"Idempotency-Replayed: true" in again[2], (first, again)
        assert move(shop, "sold", line("SH-014", "tea", "7"), key="k-1")[0] == 422
        status, told = shop.get("/v1/stock/SH-014/tea")
        assert told["free"] == "9" and told["lots"] == [{"lot": "L1", "expires": "2027-03-01", "on_hand": "9"}], told  # the lot that expires first went first
        assert [(m["kind"], m["on_hand"], m["lot"]) for m in told["movements"][:2]] == [("sold", "-1", "L1"), ("sold", "-5", "L2")], told
        status, told, _ = move(shop, "sold", line("SH-014", "tea", "10"), line("WH", "salt", "1"))
        assert status == 409 and told["detail"] == "tea at SH-014: 9 is free (9 on hand, 0 reserved), 10 was asked for", told
        assert level(shop, "WH", "salt") == ("2.5", "0", "2.5")  # all lines or none
        status, told, _ = move(shop, "sold", line("SH-014", "tea", "10"), line("SH-014", "bag", "1"), till=True)
        assert status == 201 and told["moved"][0]["on_hand"] == "-1" and not told["moved"][1]["kept"], told  # a till had it in its hand
        status, told, _ = post(shop, "/counts", {"lines": [line("SH-014", "tea", "3")]})
        assert status == 201 and told["moved"][0]["difference"] == "4" and told["moved"][0]["free"] == "3", told
        assert [l["product"] for l in shop.get("/v1/stock?location=SH-014")[1]["levels"]] == ["tea"]
        for body, words in (({"kind": "sold", "lines": [line("SH-014", "tea", "-1")]}, "quantity of tea"), ({"kind": "sold", "lines": [line("SH-014", "tea", "1e99")]}, "lines[0].quantity"),
                            ({"kind": "sold", "lines": [line("SH/014", "tea", "1")]}, "without '/'"), ({"kind": "sold", "lines": []}, "lines"), ({"kind": "eaten", "lines": [line("A", "b", 1)]}, "kind"),
                            ({"kind": "sold", "lines": [line("SH-014", "tea", "0.0000001")]}, "six decimals"), ([], "no object"), ({"kind": "received", "lines": [line("A", "b", 1, lot="x" * 21)]}, "lot")):
            status, told, _ = post(shop, "/movements", body)
            assert status == 400 and words in told["detail"], (body, status, told)
        assert shop.call("POST", "/v1/stock/movements", {"kind": "sold", "lines": sale})[0] == 400  # no key
        assert shop.call("GET", "/v1/stock", auth="")[0] == 401
        assert shop.run("verify")["done"]
        metrics = shop.call("GET", "/metrics")[1].decode()
        assert (ON_POSTGRES or "souk_stock_levels 2\n" in metrics) and "souk_stock_movements_total 8\n" in metrics, metrics
        shop.stop()
        shop.start()  # levels in memory are added up again
        assert level(shop, "SH-014", "tea") == ("3", "0", "3")


@story
def a_reservation_is_fulfilled_released_or_over():
    with Shop() as shop:
        shop.start()
        move(shop, "received", line("SH-014", "tea", "10"))
        reserve = lambda quantity, until, **more: post(shop, "/reservations", {"until": until, "lines": [line("SH-014", "tea", quantity)], **more})
        status, told, _ = reserve("4", later(600), id="click-1")
        assert status == 201 and told["state"] == "held" and level(shop, "SH-014", "tea") == ("10", "4", "6"), told
        assert reserve("1", later(600), id="click-1")[0] == 409
        assert reserve("7", later(600))[0] == 409
        assert reserve("1", later(-5))[0] == 400
        status, told, _ = post(shop, "/reservations/click-1/fulfil", {}, "f-1")
        assert status == 200 and told["state"] == "fulfilled" and level(shop, "SH-014", "tea") == ("6", "0", "6"), told
        assert post(shop, "/reservations/click-1/fulfil", {}, "f-1")[1] == told  # the same request again
        status, told, _ = post(shop, "/reservations/click-1", b"", method="DELETE")
        assert status == 409 and "was fulfilled already" in told["detail"], told
        assert reserve("2", later(600), id="click-2")[0] == 201
        assert post(shop, "/reservations/click-2", b"", method="DELETE")[1]["state"] == "released"
        assert reserve("6", later(1), id="click-3")[0] == 201
        while level(shop, "SH-014", "tea")[1] != "0":
            time.sleep(0.02)  # somebody comes by without being asked; a token has a quota
        status, told, _ = post(shop, "/reservations/click-3/fulfil", {})
        assert status == 409 and "has expired" in told["detail"], told
        assert shop.get("/v1/stock/reservations/click-3")[1]["state"] == "expired"
        assert shop.get("/v1/stock/reservations/nobody")[0] == 404
        assert shop.run("verify")["done"]


@story
def goods_are_sent_come_in_parts_and_are_promised():
    with Shop() as shop:
        shop.start()
        move(shop, "received", line("WH", "tea", "100"), line("SH-014", "tea", "3"))
        status, told, _ = post(shop, "/transfers", {"id": "t1", "from": "WH", "to": "SH-014", "expected": later(86400), "lines": [{"product": "tea", "quantity": "20"}]})
        assert status == 201 and told["state"] == "on its way", told
        assert post(shop, "/transfers", {"id": "po-7", "to": "SH-015", "expected": later(40 * 86400), "lines": [{"product": "tea", "quantity": "50"}]})[0] == 201
        now, week = shop.get("/v1/stock/promise?product=tea")[1], shop.get("/v1/stock/promise?product=tea&by=" + later(7 * 86400)[:10])[1]
        assert (now["promise"], week["promise"]) == ("83", "103"), (now, week)
        assert shop.get("/v1/stock/promise?product=tea&location=SH-014&by=" + later(7 * 86400)[:10])[1]["promise"] == "23"
        assert shop.get("/v1/stock/promise?product=tea&by=" + later(50 * 86400)[:10])[1]["promise"] == "153"
        status, told, _ = post(shop, "/transfers/t1/arrive", {"lines": [{"product": "tea", "quantity": "15"}]})
        assert status == 200 and told["lines"][0]["coming"] == "5", told
        status, told, _ = post(shop, "/transfers/t1/arrive", {"lines": [{"product": "tea", "quantity": "6"}]})
        assert status == 409 and told["detail"].startswith("1 of tea came above what was sent"), told
        status, told, _ = post(shop, "/transfers/t1/arrive", {"last": True})
        assert status == 409 and told["detail"].startswith("5 of tea has not come"), told
        status, told, _ = post(shop, "/transfers/t1/arrive", {"last": True, "difference": "book"})
        assert status == 200 and told["state"] == "done" and told["lines"][0]["lost"] == "5", told
        assert level(shop, "SH-014", "tea") == ("18", "0", "18") and level(shop, "WH", "tea") == ("80", "0", "80")
        assert shop.run("verify")["done"]


@story
def a_proxy_that_checks_the_description_finds_every_answer_of_stock_as_it_says():
    if not tool("prism"):
        return "skipped"
    with Shop() as shop:
        shop.start()
        with Proxy(shop) as proxy:
            key = lambda: ["Idempotency-Key: " + str(uuid.uuid4())]
            proxy.call("POST", "/v1/stock/movements", {"kind": "received", "lines": [line("WH", "tea", "10", lot="A", expires="2027-01-01")]}, 201, key())
            proxy.call("POST", "/v1/stock/movements", {"kind": "sold", "lines": [line("WH", "tea", "11")]}, 409, key())
            proxy.call("POST", "/v1/stock/counts", {"at": later(-60), "lines": [line("WH", "tea", "9")]}, 201, key())
            proxy.call("POST", "/v1/stock/reservations", {"id": "r", "until": later(600), "lines": [line("WH", "tea", "1")]}, 201, key())
            proxy.call("GET", "/v1/stock/reservations/r")
            proxy.call("POST", "/v1/stock/reservations/r/fulfil")
            proxy.call("DELETE", "/v1/stock/reservations/r", wants=409)
            proxy.call("POST", "/v1/stock/transfers", {"id": "t", "from": "WH", "to": "SH", "lines": [{"product": "tea", "quantity": "2"}]}, 201, key())
            proxy.call("POST", "/v1/stock/transfers/t/arrive", {"lines": [{"product": "tea", "quantity": "1"}]}, 200, key())
            proxy.call("GET", "/v1/stock/transfers/t")
            proxy.call("GET", "/v1/stock/transfers/u", wants=404)
            for path in ("?location=WH", "?product=tea&limit=1", "/WH/tea", "/WH/tea?limit=1", "/promise?product=tea", "/promise?product=tea&by=2030-01-01"):
                proxy.call("GET", "/v1/stock" + path)
            proxy.call("GET", "/v1/stock", wants=400)
            proxy.call("GET", "/v1/stock/WH/soap", wants=404)


@story
def what_a_till_sells_leaves_its_shelf_once_in_the_transaction_of_the_receipt():
    with Shop() as shop:
        till = opened(shop)
        move(shop, "received", line("BER", "TEA", "5", lot="L1"))
        made = till.pay("k1")  # three teas, and salt, which is not kept in stock
        assert till.pay("k1") == made and level(shop, "BER", "TEA") == ("2", "0", "2")
        assert level(shop, "BER", "SALT") is None
        till.pay("k2", 409, expected_total="6.00")  # refused: nothing of it happened
        assert level(shop, "BER", "TEA") == ("2", "0", "2")
        till.pay("k3")  # what is in a shopper's hand was there
        assert level(shop, "BER", "TEA") == ("-1", "0", "-1")
        assert shop.run("verify")["done"]


@story
def eight_clients_race_for_the_last_pieces_of_a_shelf():
    with Shop() as shop:
        shop.start()
        move(shop, "received", line("SH-014", "tea", "50"))
        sold = []

        def buy():
            for _ in range(12):
                sold.append(move(shop, "sold", line("SH-014", "tea", "1"))[0])

        clients = [threading.Thread(target=buy) for _ in range(8)]
        [c.start() for c in clients], [c.join() for c in clients]
        assert (sold.count(201), sold.count(409)) == (50, 46), sold
        assert level(shop, "SH-014", "tea") == ("0", "0", "0")


@story
def a_server_that_is_killed_has_every_answered_sale_and_none_twice():
    with Shop() as shop:
        shop.start()
        move(shop, "received", line("SH-014", "tea", "1000"))
        answered, doubtful, lock = [], [], threading.Lock()

        def sell(client):
            for i in range(100):
                key = f"{client}-{i}"
                try:
                    status = move(shop, "sold", line("SH-014", "tea", "1"), key=key)[0]
                except Exception:  # it was killed: nobody knows
                    doubtful.append(key)
                    return
                assert status == 201, status
                with lock:
                    answered.append(key)
                    if len(answered) == 60:
                        shop.process.send_signal(signal.SIGKILL)

        clients = [threading.Thread(target=sell, args=(c,)) for c in range(4)]
        [c.start() for c in clients], [c.join() for c in clients]
        shop.ended()
        shop.start()
        assert len(answered) >= 60 and doubtful, (len(answered), doubtful)
        for key in answered:  # told again, it was done
            assert b"Idempotency-Replayed: true" in move(shop, "sold", line("SH-014", "tea", "1"), key=key)[2], key
        for key in doubtful:  # done before or now, and once
            assert move(shop, "sold", line("SH-014", "tea", "1"), key=key)[0] == 201
        assert level(shop, "SH-014", "tea")[0] == str(1000 - len(answered) - len(doubtful))
        assert shop.run("verify")["done"]
