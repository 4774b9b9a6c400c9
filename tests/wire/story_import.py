"""Files into a shop: the real data with totals that are computed here, tables in awkward dress, what is shown before."""
import csv, gzip, io, json, os, signal, sqlite3, subprocess, sys, time
from decimal import ROUND_HALF_EVEN, Decimal

from lib import SOUK, Shop, story

SHARED = os.environ.get("SOUK_SHARED", os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"))


def real(*path):
    """The path of a file of the real data, or None with a word that it is not there."""
    path = os.path.join(SHARED, "data", *path)
    if os.path.exists(path):
        return path
    print(f"   skipped: no {os.path.basename(path)} under SOUK_SHARED", file=sys.stderr)


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def plain(number):
    """A decimal as the shop writes it."""
    text = format(number.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def micro(text):
    """Six decimals, half to even: some amounts of the real data have the dust of binary fractions."""
    return Decimal(text).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


def again_adds_nothing(shop, wanted, *words):
    stats = shop.run("stats")
    again = shop.run("import", *words)
    assert again["events"] == 0 and again.get("entries", 0) == 0 and again["rejected"] == 0, again
    assert shop.run("stats") == stats == {**stats, **wanted}, (shop.run("stats"), stats, wanted)
    shop.run("verify")


@story
def tafeng_has_exact_totals():
    path = real("baskets", "tafeng_history.csv.gz")
    if not path:
        return "skipped"
    baskets, users, products, count = set(), set(), set(), 0
    for row in rows(path):
        count += 1
        baskets.add((row["user_id"], row["basket_no"]))
        users.add(row["user_id"])
        products.add(row["product_id"])
    with Shop() as shop:
        made = shop.run("import", "tafeng", path)
        assert "source 'tafeng' is new and states no basis" in made.pop("note"), made
        assert made == {"rows": count, "events": len(baskets), "repeats": 0, "rejected": 0, "shoppers": len(users),
                        "resumed": 0}, made
        again_adds_nothing(shop, {"events": len(baskets), "orders": len(baskets), "shoppers": len(users),
                                  "products": len(products), "revenue": {"none": "0"}}, "tafeng", path)


@story
def cdnow_has_exact_totals():
    path = real("behaviour", "cdnow_master.csv.gz")
    if not path:
        return "skipped"
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE purchase (customer TEXT, cents INTEGER)")
    db.executemany("INSERT INTO purchase VALUES (?, ?)",
                   ((row["customer_id"], int(Decimal(row["amount_usd"]) * 100)) for row in rows(path)))
    count, customers, cents = db.execute("SELECT count(*), count(DISTINCT customer), sum(cents) FROM purchase").fetchone()
    best, = db.execute("SELECT customer FROM purchase GROUP BY customer ORDER BY count(*) DESC, customer").fetchone()
    orders, = db.execute("SELECT count(*) FROM purchase WHERE customer = ?", (best,)).fetchone()
    with Shop() as shop:
        made = shop.run("import", "cdnow", path, "--basis", "profile=contract")
        assert made["events"] == made["rows"] == count and made["shoppers"] == customers, made
        assert shop.run("profile", "user", best, "profile")["orders"] == orders
        again_adds_nothing(shop, {"events": count, "orders": count, "shoppers": customers, "products": 1,
                                  "revenue": {"USD": plain(Decimal(cents) / 100)}},
                           "cdnow", path, "--basis", "profile=contract")


@story
def groceries_have_exact_totals():
    path = real("baskets", "groceries_9835.csv.gz")
    if not path:
        return "skipped"
    with gzip.open(path, "rt") as file:
        lines = [[item.strip() for item in line.split(",")] for line in file if line.strip()]
    with Shop() as shop:
        made = shop.run("import", "groceries", path)
        assert made["events"] == made["rows"] == len(lines) and made["shoppers"] == 0, made
        again_adds_nothing(shop, {"events": len(lines), "orders": len(lines), "shoppers": 0,
                                  "products": len({item for line in lines for item in line})}, "groceries", path)


@story
def the_complete_journey_has_exact_totals():
    folder = real("complete_journey")
    if not folder:
        return "skipped"
    part = {name.split(".")[0]: list(rows(os.path.join(folder, name))) for name in sorted(os.listdir(folder))
            if not name.startswith("promotions")}
    sales = part["transactions_sample"]
    stretches = sum(1 for a, b in zip([{}] + sales, sales) if any(a.get(k) != b[k] for k in (
        "basket_id", "household_id", "store_id", "transaction_timestamp")))
    offers = []  # a coupon of a campaign, and how many products stand together
    for row in part["coupons"]:
        key = (row["coupon_upc"], row["campaign_id"])
        if not offers or offers[-1][0] != key or offers[-1][1] == 200:
            offers.append([key, 0])
        offers[-1][1] += 1
    events = (stretches + len(part["demographics"]) + len(part["campaigns"]) + len(part["coupon_redemptions"]) + len(offers))
    households = {row["household_id"] for name in ("transactions_sample", "demographics", "campaigns", "coupon_redemptions")
                  for row in part[name]}
    with Shop() as shop:
        made = shop.run("import", "complete-journey", folder)
        assert "source 'complete-journey' is new and states no basis" in made.pop("note"), made
        assert made == {"rows": sum(len(rows) for rows in part.values()), "events": events, "repeats": 0, "rejected": 0,
                        "shoppers": len(households), "resumed": 0, "entries": len(part["products"])}, (made, events)
        again_adds_nothing(shop, {"events": events, "orders": len({row["basket_id"] for row in sales}),
                                  "shoppers": len(households),
                                  "products": len({row["product_id"] for row in sales + part["coupons"]}),
                                  "revenue": {"USD": plain(sum(micro(row["sales_value"]) for row in sales))}},
                           "complete-journey", folder)


@story
def a_folder_is_looked_at_file_by_file_before_it_is_stored():
    files = {"transactions": "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
                             "coupon_match_disc,week,transaction_timestamp\n"
                             "1,309,31,25671,2,3.86,0.43,0,0,5,2017-01-28T19:06:53Z\n"
                             "1,309,31,99,x,1,0,0,0,5,2017-01-28T19:06:53Z\n"
                             "2,309,32,99,1,1,0,0,0,5,2017-01-28T19:06:53Z\n",
             "campaigns": "campaign_id,household_id\n26,1\n",
             "campaign_descriptions": "campaign_id,campaign_type,start_date,end_date\n26,Type A,2016-12-28,2017-02-19\n",
             "promotions": "product_id,store_id,display_location,mailer_location,week\n1,2,3,4,5\n"}
    with Shop() as shop:
        folder = os.path.join(os.path.dirname(shop.data), "journey")
        os.mkdir(folder)
        for name, text in files.items():
            with open(os.path.join(folder, name + ".csv"), "w") as file:
                file.write(text)
        dry = shop.run("import", "complete-journey", folder, "--dry-run")
        told = {file.pop("file"): file for file in dry["files"]}
        assert told["promotions.csv"] == {"passed_over": True} and len(told) == 4, dry
        assert told["campaigns.csv"]["first"][0]["at"] == "2016-12-28T00:00:00.000Z", dry  # of another file
        sales = told["transactions.csv"]
        assert [sales[key] for key in ("rows", "records", "faults", "rejected")] == [3, 1, 1, 2], dry
        assert sales["first_faults"][0]["line"] == 3, dry
        assert [dry[key] for key in ("rows", "records", "named", "faults", "rejected")] == [5, 2, 2, 1, 2], dry
        made = shop.run("import", "complete-journey", folder)
        assert (made["rows"], made["events"], made["rejected"]) == (5, 2, 2), made
        reject, = shop.run("rejects")["rejects"]
        assert reject["where"] == "import complete-journey: line 3 of transactions.csv", reject


# ---- tables ------------------------------------------------------------------------------------------------------------


def put(shop, name, text, encoding="utf-8"):
    path = os.path.join(os.path.dirname(shop.data), name)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode(encoding))
    return path


ORDERS = "订单号,下单时间,货号,商品名称,数量,单价,会员卡号\nA,2025年1月2日 15:04,S1,茶,2,3.50,9001\nA,2025年1月2日 15:04,S2,杯,1,2,9001\n"


@story
def a_table_of_orders_is_shown_before_it_is_stored():
    with Shop() as shop:
        path = put(shop, "orders.csv", ORDERS, "gb18030")
        dry = shop.run("import", "orders", path, "--dry-run", "--currency", "CNY", "--zone", "Asia/Shanghai")
        assert (dry["rows"], dry["records"], dry["faults"]) == (2, 1, 0), dry
        assert dry["first"][0]["at"] == "2025-01-02T07:04:00.000Z" and dry["first"][0]["amount"] == 9, dry
        assert shop.run("stats")["events"] == 0
        made, words = shop.end(shop.begin("import", "orders", path, "--currency", "CNY", "--zone", "Asia/Shanghai",
                                          "--basis", "serve=contract"))
        assert made["events"] == 1 and made["shoppers"] == 1, made
        assert "encoding GB18030" in words and "订单号" in words and "the heading says so" in words, words
        story, = shop.run("timeline", "card", "9001")["events"]
        assert "茶" in json.dumps(story, ensure_ascii=False), story
        assert shop.run("stats")["revenue"] == {"CNY": "9"}


@story
def an_order_with_a_bad_row_comes_in_whole_with_the_mended_file():
    well = "A,2025-01-02,S1,1,7,9001\nA,2025-01-02,S2,{},2,9001\nB,2025-01-02,S3,1,4,9002\n"
    heading = "order,date,sku,qty,price,card\n"
    with Shop() as shop:
        shop.run("source", "add", "late")  # so that the import's source is not the first
        bad = put(shop, "May orders.csv", heading + well.format("x"))
        dry = shop.run("import", "orders", bad, "--dry-run")
        assert (dry["rows"], dry["records"], dry["faults"], dry["rejected"]) == (3, 1, 1, 2), dry
        made = shop.run("import", "orders", bad)
        assert (made["rows"], made["events"], made["rejected"]) == (3, 1, 2), made
        reject, = shop.run("rejects")["rejects"]
        assert reject["source"] == "orders" and reject["where"] == "import orders: line 3 of May orders.csv", reject
        assert "'qty' is no number" in reject["fault"] and "its order stays out whole" in reject["fault"], reject
        mended = {"type": "track", "event": "Order Completed", "properties": {"order_id": "A", "total": "9"}}
        for event in [(), (json.dumps({**mended, "userId": "u"}),)]:
            words = shop.run("rejects", "replay", str(reject["id"]), *event, fails=2)
            assert "mend line 3 of May orders.csv there, import the file again" in words, words
        assert shop.run("stats")["orders"] == 1
        made = shop.run("import", "orders", put(shop, "May orders.csv", heading + well.format("1")))
        assert (made["events"], made["repeats"], made["rejected"]) == (1, 1, 0), made
        stats = shop.run("stats")
        assert (stats["orders"], stats["revenue"]) == (2, {"none": "13"}), stats
        made = shop.run("import", "orders", bad)
        assert (made["events"], made["repeats"], made["rejected"]) == (0, 2, 0), made  # the same file by now
        shop.run("rejects", "drop", str(reject["id"]))
        assert shop.run("rejects")["count"] == 0


@story
def a_table_that_is_in_doubt_says_what_to_pass():
    with Shop() as shop:
        both = put(shop, "both.csv", "Order ID,Order No,Date,SKU\n1,A,2025-01-02,x\n")
        words = shop.run("import", "orders", both, fails=2)
        assert "pass --map 'Order ID=order' or --map 'Order No=order'" in words, words
        assert shop.run("import", "orders", both, "--map", "Order No=order")["events"] == 1
        assert "no column is order: pass --map" in shop.run(
            "import", "orders", put(shop, "none.csv", "a,b\n1,2\n"), fails=2)
        either = put(shop, "either.csv", "order,date,sku\n1,1/2/2025,x\n")
        _, words = shop.end(shop.begin("import", "orders", either))
        assert "could be read both ways: taken as month/day; pass --dates dmy if not" in words, words
        assert "no format; there is: orders, products" in shop.run("import", "poems", both, fails=2)


@story
def products_and_consents_are_stored_once_beside_a_running_server():
    with Shop() as shop:
        products = put(shop, "products.csv", "SKU;Bezeichnung;Preis;Größe\nA;Tee;\"1.234,50 €\";M\nB;Tasse;2,00 €;\n", "cp1252")
        consents = put(shop, "consents.csv", "email,purpose,given,date,age\nann@example.com,profile,yes,2025-01-02,30\n")
        shop.start()
        assert shop.run("import", "products", products)["entries"] == 2
        assert shop.run("import", "products", products)["entries"] == 0
        assert shop.run("import", "consents", consents)["entries"] == 1
        assert shop.run("import", "consents", consents)["entries"] == 0
        assert shop.run("profile", "email", "ann@example.com", "profile")["orders"] == 0
        shop.run("verify")
        shop.stop()
        shop.run("rebuild")
        shop.run("verify")


@story
def stores_of_a_world_are_imported_once_and_keep_what_was_said_of_them():
    with Shop() as shop:
        folder = os.path.join(os.path.dirname(shop.data), "world")
        subprocess.run([SOUK, "world", "--out", folder, "--shoppers", "10", "--days", "1", "--stores", "3"], check=True, capture_output=True)
        path = os.path.join(folder, "stores.csv")
        with open(path, newline="") as file:
            stores = {row["store_id"]: row for row in csv.DictReader(file)}
        dry = shop.run("import", "stores", path, "--dry-run")
        assert {c["column"]: c["meaning"] for c in dry["columns"]} == {
            "store_id": "store", "name": "name", "time_zone": "zone", "currency": "currency", "open": "opens", "close": "closes"}, dry
        assert (dry["rows"], dry["records"], dry["named"]) == (3, 3, 0), dry
        shop.start()
        first = min(stores)
        said = {"name": "By hand", "zones": [{"zone": "entrance"}]}
        assert shop.call("PUT", "/v1/stores/" + first, said, headers=["If-None-Match: *"])[0] == 201
        assert shop.run("import", "stores", path)["entries"] == 3
        assert shop.run("import", "stores", path)["entries"] == 0
        listed = {store.pop("store"): store for store in shop.get("/v1/stores")[1]["stores"]}
        assert listed.keys() == stores.keys() and listed[first]["zones"] == said["zones"], listed
        for code, row in stores.items():
            assert [listed[code][key] for key in ("described", "name", "time_zone", "currency", "opens", "closes")] == [
                True, row["name"], row["time_zone"], row["currency"], row["open"], row["close"]], listed[code]


@story
def an_import_of_orders_killed_goes_on_and_has_exact_totals():
    text = io.StringIO()
    text.write("order,date,sku,qty,price,card\n")
    count, lines = 40000, 3
    for i in range(count * lines):
        text.write(f"{i // lines},2025-02-03 04:05:06,S{i % 50},2,0.25,{i // lines % 900}\n")
    with Shop() as shop:
        path = put(shop, "orders.csv", text.getvalue())
        kills = 0
        for _ in range(3):
            command = shop.begin("import", "orders", path)
            until = time.monotonic() + 30
            wal = os.path.join(shop.data, "ledger-wal")
            grown = os.path.getsize(wal) if os.path.exists(wal) else 0
            while command.poll() is None and time.monotonic() < until:
                if os.path.exists(wal) and os.path.getsize(wal) > grown + 400000:
                    break
                time.sleep(0.001)
            if command.poll() is None:
                command.send_signal(signal.SIGKILL)
                kills += 1
            command.communicate()
        made = shop.run("import", "orders", path)
        stats = shop.run("stats")
        assert stats["orders"] == stats["events"] == count, (stats, kills)
        assert stats["revenue"] == {"none": str(count * lines // 2)}, stats
        assert made["rows"] == count * lines and made["events"] + made["repeats"] == count, made
        shop.run("verify")


@story
def a_feed_in_xml_is_products_and_a_document_type_is_refused():
    feed = ('<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>A</g:id><title>Tea</title>'
            '<g:price>15.00 CNY</g:price></item></channel></rss>')
    with Shop() as shop:
        assert shop.run("import", "merchant-feed", put(shop, "feed.xml", feed))["entries"] == 1
        table = put(shop, "feed.tsv", "id\ttitle\tprice\nA\tTea\t15.00 CNY\n")
        assert shop.run("import", "merchant-feed", table)["entries"] == 0  # it tells the same
        bomb = put(shop, "bomb.xml", '<!DOCTYPE rss [<!ENTITY a "aaaa">]>' + feed)
        assert "declares a document type" in shop.run("import", "merchant-feed", bomb, fails=2)
