"""What a retailer tries first: one person on a page, in a mini program, in a web shop and at a till, on one timeline; and a broken
event that is found, mended and taken."""
import json, os, subprocess, threading

import clients
from lib import Shop, event, story
from story_hooks import deliver, hook, shopify_order

TRACKER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tracker")
building = threading.Lock()

RECEIPT = """<?xml version="1.0" encoding="UTF-8"?>
<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">
 <Transaction>
  <RetailStoreID>0042</RetailStoreID><WorkstationID>3</WorkstationID><SequenceNumber>17</SequenceNumber>
  <BusinessDayDate>2026-01-02</BusinessDayDate><BeginDateTime>2026-01-02T10:00:00Z</BeginDateTime><CurrencyCode>EUR</CurrencyCode>
  <RetailTransaction>
   <LineItem><Sale><ItemID>tea-1</ItemID><RegularSalesUnitPrice>12.50</RegularSalesUnitPrice>
    <ExtendedAmount>12.50</ExtendedAmount><Quantity>1</Quantity></Sale></LineItem>
   <LineItem><Tender TenderType="Cash"><Amount>12.50</Amount></Tender></LineItem>
   <Total TotalType="TransactionGrandAmount">12.50</Total>
   <Customer><CustomerID>9001</CustomerID></Customer>
  </RetailTransaction>
 </Transaction>
</POSLog>"""


def tracker_is_built():
    with building:
        if not os.path.exists(os.path.join(TRACKER, "dist", "souk.js")):
            if not os.path.isdir(os.path.join(TRACKER, "node_modules")):
                subprocess.run(["npm", "ci", "--silent"], cwd=TRACKER, stdin=subprocess.DEVNULL, capture_output=True)
            subprocess.run(["npm", "run", "-s", "build"], cwd=TRACKER, stdin=subprocess.DEVNULL, capture_output=True)
    return os.path.exists(os.path.join(TRACKER, "dist", "souk.js"))


def timeline(shop, kind, value):
    status, body, _ = shop.call("GET", f"/v1/shoppers/{kind}/{value}/timeline?limit=100")
    assert status == 200, body
    return json.loads(body)["events"]


@story
def a_page_a_mini_program_a_shopify_hook_and_a_till_of_one_person_are_one_timeline():
    if not clients.there() or not tracker_is_built():
        return "skipped"
    with Shop() as shop:
        hook(shop, "shopify", "eu", "hush")
        shop.start()
        host = "http://%s:%d" % shop.address
        assert clients.end(clients.begin("tracker_page.js", host, shop.key, "ann")) == [{"sent": True}]
        clients.end(clients.begin("sensors_miniprogram.js", f"{host}/sa/{shop.key}", "single", 2, "ann"))
        assert deliver(shop, "shopify", "eu", "orders/create", shopify_order(1001, "ann@shop.example")) == 200
        path = os.path.join(os.path.dirname(shop.data), "till.xml")
        with open(path, "w") as file:
            file.write(RECEIPT)
        made = shop.run("import", "poslog", path, "--source", "till", "--basis", "serve=contract")
        assert (made["rows"], made["events"], made["rejected"]) == (1, 1, 0), made
        rows = timeline(shop, "user", "ann")
        told = [row["type"] for row in rows]
        for name in ["Page", "Product Viewed", "Identify", "Order Completed", "Receipt Issued"]:
            assert name in told, told
        assert told.count("Order Completed") == 2 and told.count("Product Viewed") == 3, told  # page and Shopify; page and mini program
        for kind, value in [("email", "ann@shop.example"), ("phone", "%2B8613800138000"), ("card", "9001")]:
            assert [r["position"] for r in timeline(shop, kind, value)] == [r["position"] for r in rows], kind
        assert shop.get("/v1/shoppers/user/ann/profile")[1]["orders"] == 3
        # she said yes on the page alone: of what the mini program's device saw before she logged in there, nobody asked her
        assert shop.get("/v1/shoppers/user/ann/profile?purpose=profile")[0] == 403
        assert shop.get("/v1/stats")[1]["shoppers"] == 1
        assert shop.run("import", "poslog", path, "--source", "till", "--basis", "serve=contract")["repeats"] == 1
        assert len(timeline(shop, "user", "ann")) == len(rows)


@story
def a_broken_event_is_found_with_its_reason_mended_and_replayed_once():
    with Shop() as shop:
        shop.start()
        broken = event("ann", "m1", "Order Completed", revenue="12.50", currency="EUR")
        assert shop.send("/v1/batch", {"batch": [event("ann", "m0"), broken, event("ann", "m2")]})[0] == 200
        assert shop.events() == 2
        found = shop.get("/v1/rejects")[1]["rejects"]
        assert [(r["fault"], r["where"]) for r in found] == [("properties.order_id is missing: Order Completed needs it", "batch[1]")], found
        schema = shop.get("/v1/schemas/Order%20Completed")[1]
        assert {"anyOf": [{"required": ["order_id"]}]} in schema["allOf"], schema
        mended = {**broken, "properties": {**broken["properties"], "order_id": "o-1"}}
        assert shop.call("POST", f"/v1/rejects/{found[0]['id']}/replay", broken)[0] == 400  # still at fault
        assert shop.call("POST", f"/v1/rejects/{found[0]['id']}/replay", mended)[0] == 200
        assert shop.events() == 3 and shop.get("/v1/rejects")[1]["count"] == 0
        assert shop.send("/v1/batch", {"batch": [mended]})[0] == 200  # the client mends itself, later
        assert shop.events() == 3 and shop.get("/v1/stats")[1]["revenue"] == {"EUR": "12.5"}
