"""Devices and tills: a real broker, real publishers, and what is stored of what they said."""
import json, os, signal, subprocess, sys

from broker import Broker, connected, taken, wait_for
from lib import Shop, story

SIGHT = {"id": "1767268790.1-abc", "camera": "entrance", "label": "person", "sub_label": ["Ada", 0.97], "frame_time": 1767268800.5,
         "start_time": 1767268790.123, "end_time": None, "false_positive": False, "box": [1, 2, 3, 4], "score": 0.79,
         "current_zones": ["door"], "entered_zones": ["door"]}
UPDATE = {"type": "update", "before": SIGHT, "after": {**SIGHT, "current_zones": ["aisle"], "entered_zones": ["door", "aisle"]}}
END = {"type": "end", "before": SIGHT, "after": {**SIGHT, "current_zones": [], "entered_zones": ["door", "aisle"],
                                                  "end_time": 1767268852.623}}
ONVIF = {"UtcTime": "2026-01-01T11:59:58Z", "Source": {"VideoSource": "1", "Rule": "entrance"}, "Data": {"Count": "217"}}
IMPINJ = {"timestamp": "2026-01-01T11:59:59.123456789Z", "hostname": "impinj-14", "eventType": "tagInventory",
          "tagInventoryEvent": {"epc": "MHQle_cZTkAAABqF", "antennaPort": 1, "peakRssiCdbm": -5650}}
ZEBRA = {"type": "SimpleTagEvent", "timestamp": "2026-01-01T11:59:59.123+0000",
         "data": {"format": "epc", "idHex": "30395dfa835709c0000a28d3", "peakRssi": -56, "antenna": 2, "eventNum": 17, "hostName": "FX"}}
EVERYTHING = ("frigate/# = frigate, cameras, SH-14; stores/+/rfid/impinj = impinj, readers, +; stores/+/rfid/zebra = zebra, readers, +;"
              "+/onvif-ej/# = onvif, cameras, SH-14; counts = counts, counters")


def broker_of(shop, **more):
    return Broker(os.path.join(os.path.dirname(shop.data), "broker"), **more)


def message_of(number):
    return json.dumps({"sensor": "d", "zone": "z", "end": 1767200000 + number, "in": 1, "store": "SH-14"})


@story
def devices_publish_and_their_events_are_stored_once():
    with Shop() as shop, broker_of(shop) as broker:
        shop.start(broker.settings(EVERYTHING))
        connected(shop)
        for _ in range(2):  # the second time all are repeats
            broker.publish("frigate/events", UPDATE)                                        # entered, left
            broker.publish("frigate/events", END)                                           # left, dwelled, dwelled
            broker.publish("frigate/tracked_object_update", {"type": "face", "name": "Ada", "score": 0.9})
            broker.publish("cam-14/onvif-ej/RuleEngine/CountAggregation/Counter/&/1", ONVIF)
            broker.publish("stores/15/rfid/impinj", [IMPINJ, {"eventType": "heartbeat"}])
            broker.publish("stores/15/rfid/zebra", ZEBRA)
            broker.publish("counts", json.loads(message_of(1)))
            broker.publish("counts", [{"sensor": "d", "end": "noon"}])
        counts = taken(shop, 16)
        assert (counts["events"], counts["rejects"], counts["left_out"]) == (2 * 9, 2, 2), counts
        metrics = shop.call("GET", "/metrics")[1].decode()
        assert "\nsouk_mqtt_connected 1\n" in metrics and "\nsouk_mqtt_left_out_total 2\n" in metrics, metrics
        stats = shop.get("/v1/stats")[1]
        assert (stats["events"], stats["shoppers"], stats["products"]) == (9, 0, 2), stats
        rejects = shop.get("/v1/rejects")[1]["rejects"]
        assert [r["where"] for r in rejects] == ["form:counts counts"] * 2, rejects
        assert json.loads(rejects[0]["text"]) == {"sensor": "d", "end": "noon"} and "end is no time" in rejects[0]["fault"]
        shop.stop()
        for folder, _, names in os.walk(shop.data):  # what may not be kept is nowhere
            for name in names:
                if os.path.isfile(path := os.path.join(folder, name)):
                    with open(path, "rb") as file:
                        assert b"Lovelace" not in (whole := file.read()) and b"1767268790.1-abc" not in whole, name
        shop.run("verify")


@story
def ten_thousand_messages_arrive_once_through_kills_of_the_server():
    with Shop() as shop, broker_of(shop, inflight=200) as broker:
        settings = broker.settings("counts = counts, counters")
        shop.start(settings)
        connected(shop)
        publisher = subprocess.Popen(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t", "counts", "-l"],
                                     stdin=subprocess.PIPE)
        publisher.stdin.write("".join(message_of(i) + "\n" for i in range(10000)).encode())
        publisher.stdin.close()
        for so_many in (500, 2000):
            wait_for(f"{so_many} events", lambda: shop.get("/v1/mqtt")[1]["events"] >= so_many)
            shop.stop(signal.SIGKILL)
            shop.start(settings)
        assert publisher.wait(120) == 0, publisher.returncode
        broker.publish("counts", message_of(10000))  # behind all that the broker still repeats
        wait_for("10,001 events", lambda: shop.events() >= 10001)
        counts = shop.get("/v1/mqtt")[1]
        assert shop.events() == 10001 and counts["rejects"] == 0 and counts["failed_stores"] == 0, counts
        assert shop.stop() == 0
        shop.run("verify")
        shop.start(settings)  # nothing waits for it any more
        connected(shop)
        broker.publish("counts", message_of(10001))
        counts = taken(shop, 1)
        assert counts["messages"] == 1 and shop.events() == 10002, counts


@story
def a_killed_broker_is_found_again_and_what_is_sent_twice_counts_once():
    with Shop() as shop, broker_of(shop) as broker:
        shop.start(broker.settings("counts = counts, counters"))
        connected(shop)
        broker.publish_lines("counts", [message_of(i) for i in range(500)])
        wait_for("500 events", lambda: shop.events() == 500)
        broker.stop(signal.SIGKILL)
        wait_for("the loss is seen", lambda: not shop.get("/v1/mqtt")[1]["connected"])
        assert shop.call("GET", "/readyz")[0] == 200
        broker.start()
        connected(shop)
        broker.publish_lines("counts", [message_of(i) for i in range(250, 1000)])  # its sender does not know how far it came
        wait_for("1,000 events", lambda: shop.events() >= 1000)
        counts = taken(shop, 1250)
        assert shop.events() == 1000 and counts["connects"] == 2 and counts["lost"] == 1, counts


@story
def messages_that_came_while_the_server_was_away_wait_at_the_broker():
    with Shop() as shop, broker_of(shop) as broker:
        settings = broker.settings("counts = counts, counters")
        shop.start(settings)
        connected(shop)
        assert shop.stop() == 0
        broker.publish("counts", "{}", "-r")  # retained: a state, no event
        broker.publish_lines("counts", [message_of(i) for i in range(300)])
        broker.stop()  # its memory is in a file
        broker.start()
        shop.start(settings)
        wait_for("300 events", lambda: shop.events() >= 300)
        assert shop.events() == 300


@story
def a_flood_of_broken_messages_is_bounded_and_hides_no_good_one():
    with Shop() as shop, broker_of(shop, inflight=1000) as broker:
        shop.start(broker.settings("counts = counts, counters"))
        connected(shop)
        broker.publish_lines("counts", [line for i in range(1000) for line in (f"broken {i}", message_of(i))])
        counts = taken(shop, 2000)
        assert shop.events() == 1000, counts
        kept = shop.get("/v1/rejects")[1]["count"]
        assert 100 <= kept <= 200 and counts["rejects"] == kept and counts["rejects_dropped"] == 1000 - kept, (kept, counts)
        broker.publish("counts", b" " * ((1 << 20) + 1))
        assert taken(shop, 2001)["too_large"] == 1


@story
def a_broker_with_a_password_lets_nobody_else_in():
    with Shop() as shop, broker_of(shop, password="open sesame") as broker:
        path = os.path.join(os.path.dirname(shop.data), "password")
        settings = broker.settings("counts = counts, counters", password_file=path)
        with open(path, "w") as file:
            file.write("wrong\n")
        shop.start(settings)
        wait_for("it is refused", lambda: "not authorised" in shop.stderr().lower() or "refuse" in shop.stderr())
        assert not shop.get("/v1/mqtt")[1]["connected"] and "wrong" not in shop.stderr()
        shop.stop()
        with open(path, "w") as file:
            file.write("open sesame\n")
        shop.start(settings)
        connected(shop)
        shop.stop()
        os.remove(path)
        words = subprocess.run([sys.argv[1], "serve", "--data", shop.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                               env={**shop.environment, **settings})
        assert words.returncode == 1 and "password_file" in words.stderr, words
        checked = subprocess.run([sys.argv[1], "config", "check", "--data", shop.data, "--mqtt-subscriptions", "a = video, s"],
                                 capture_output=True, text=True)
        assert checked.returncode == 1 and "'video' behind the filter 'a' is no form" in checked.stdout, checked


@story
def a_broker_behind_tls_is_trusted_by_its_certificate_alone():
    with Shop() as shop, broker_of(shop, tls=True, inflight=1000) as broker, Broker(shop.data + "-other", tls=True) as other:
        settings = broker.settings("counts = counts, counters")
        shop.start(settings)
        connected(shop)
        broker.publish_lines("counts", [message_of(i) for i in range(2000)])
        assert taken(shop, 2000)["events"] == 2000 and shop.events() == 2000
        shop.stop()
        for trust in (other.ca_file, ""):  # another's certificate, and no TLS at all
            shop.start({**settings, "SOUK_MQTT_CA_FILE": trust})
            wait_for("it is not trusted", lambda: shop.stderr().count('"module":"mqtt"') >= 2)
            assert not shop.get("/v1/mqtt")[1]["connected"] and "connected to the broker" not in shop.stderr()
            shop.stop()


@story
def a_till_posts_its_receipts_and_a_reader_its_tags():
    with Shop() as shop:
        shop.start()
        receipt = """<?xml version="1.0"?><POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/">%s</POSLog>""" % "".join(
            f"""<Transaction><RetailStoreID>SH-14</RetailStoreID><WorkstationID>3</WorkstationID><SequenceNumber>{i}</SequenceNumber>
            <BusinessDayDate>2026-01-02</BusinessDayDate><EndDateTime>2026-01-02T10:0{i}:00+08:00</EndDateTime>
            <CurrencyCode>CNY</CurrencyCode><RetailTransaction><LineItem EntryMethod="Scanned"><Sale><POSIdentity><POSItemID>
            6901234567892</POSItemID></POSIdentity><Description>茶</Description><ActualSalesUnitPrice>2.99</ActualSalesUnitPrice>
            <ExtendedAmount>{amount}</ExtendedAmount><Quantity UnitOfMeasureCode="KGM">0.42</Quantity></Sale></LineItem>
            <Customer><CustomerID>9001</CustomerID></Customer></RetailTransaction></Transaction>"""
            for i, amount in enumerate(("1.26", "one", "1.26")))
        for new, known in (2, 0), (0, 2):
            status, body, _ = shop.send("/v1/poslog", receipt.encode())
            assert (status, json.loads(body)) == (200, {"success": True, "events": new, "repeats": known, "rejected": 1}), (status, body)
        status, timeline = shop.get("/v1/shoppers/card/9001/timeline")
        assert [e["event"] for e in timeline["events"]] == [
            {"type": "track", "event": "Receipt Issued", "messageId": f"SH-14/3/2026-01-02/{i}", "timestamp": f"2026-01-02T02:0{i}:00.000Z",
             "context": {"externalIds": [{"type": "card", "id": "9001"}], "library": {"name": "poslog"}},
             "properties": {"receipt_id": f"SH-14/3/2026-01-02/{i}", "store_id": "SH-14", "till_id": "3", "business_date": "2026-01-02",
                            "currency": "CNY", "products": [
                                {"product_id": "6901234567892", "gtin": "6901234567892", "name": "茶", "price": "2.99",
                                 "quantity": "0.42", "unit": "KGM", "amount": "1.26", "entry_method": "Scanned"}]}}
            for i in (2, 0)], timeline
        assert shop.get("/v1/stats")[1]["revenue"] == {"CNY": "2.52"}
        rejects = shop.get("/v1/rejects")[1]["rejects"]
        assert all("'one' is no number" in r["fault"] and r["text"].startswith("<Transaction>") for r in rejects), rejects
        mended = rejects[0]["text"].replace("one", "1.26").encode()
        assert shop.call("POST", f"/v1/rejects/{rejects[0]['id']}/replay", mended)[0] == 200
        assert shop.get("/v1/stats")[1]["revenue"] == {"CNY": "3.78"}
        assert shop.send("/v1/poslog", b"<!DOCTYPE x [<!ENTITY a 'b'>]><POSLog>&a;</POSLog>")[0] == 200
        assert "DTD" in shop.get("/v1/rejects")[1]["rejects"][-1]["fault"]
        key = ("X-Write-Key: " + shop.key,)
        for _ in range(2):
            assert shop.call("POST", "/v1/devices/impinj?store=SH-14", [IMPINJ], auth="", headers=key)[0] == 200
            assert shop.call("POST", f"/v1/devices/zebra?writeKey={shop.key}&store=SH-14", ZEBRA, auth="")[0] == 200
            assert shop.send("/v1/counts", json.loads(message_of(1)))[0] == 200
        assert shop.events() == 6
        assert shop.call("POST", "/v1/devices/impinj", [IMPINJ], auth="")[0] == 401
        assert shop.send("/v1/devices/video", {})[0] == 404
