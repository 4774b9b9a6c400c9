"""What becomes of events and of the people behind them: counted once, found, merged, erased, restored."""
import gzip, json, os, random, shutil, signal, subprocess, sys, threading, time

from lib import event, on_file, Shop, SOUK, story


@story
def an_event_is_counted_found_and_shown():
    shop = Shop().start()
    try:
        status, body, _ = shop.send("/v1/track", {"event": "Order Completed", "userId": "u 1/ä", "messageId": "m1",
                                                  "properties": {"order_id": "o1", "revenue": "12.345", "currency": "eur",
                                                                 "products": [{"product_id": "P1", "price": 4.115, "quantity": 3}]}})
        assert (status, json.loads(body)) == (200, {"success": True})
        assert shop.get("/v1/stats")[1]["revenue"] == {"EUR": "12.345"}
        status, profile = shop.get("/v1/shoppers/user/u%201%2F%C3%A4/profile")
        assert status == 200 and profile["orders"] == 1 and profile["amounts"] == {"EUR": "12.345"}, profile
        status, timeline = shop.get("/v1/shoppers/user/u%201%2F%C3%A4/timeline")
        assert timeline["events"][0]["event"]["properties"]["products"][0]["price"] == 4.115
        assert shop.run("stats")["events"] == 1
        assert shop.stop() == 0
        assert shop.run("verify")["done"]
    finally:
        shop.done()


@story
def a_repeat_adds_nothing_in_a_batch_across_batches_and_across_restarts():
    shop = Shop().start()
    try:
        batch = {"batch": [event(f"u{i % 5}", f"m{i % 50}") for i in range(100)]}
        assert shop.send("/v1/batch", batch)[0] == 200
        assert shop.send("/v1/batch", gzip.compress(json.dumps(batch).encode()))[0] == 200
        shop.stop(signal.SIGKILL)
        shop.start()
        assert shop.send("/v1/batch", batch)[0] == 200
        assert shop.get("/v1/stats")[1]["events"] == 50
    finally:
        shop.done()


@story
def faults_of_one_event_go_to_the_rejects_and_come_back_mended():
    shop = Shop().start()
    try:
        batch = {"batch": [event("u1", "m1"), {"type": "track", "event": "X"}, 7,
                           event("u1", "m2", "Order Completed", order_id="o2", revenue="much")]}
        assert shop.send("/v1/batch", batch)[0] == 200
        status, rejects = shop.get("/v1/rejects")
        assert rejects["count"] == 3 and "userId" in rejects["rejects"][0]["fault"], rejects
        assert shop.get("/v1/stats")[1]["events"] == 1
        bad = rejects["rejects"][2]
        assert shop.call("POST", f"/v1/rejects/{bad['id']}/replay")[0] == 400
        mended = json.loads(bad["text"])
        mended["properties"]["revenue"] = "5"
        assert shop.call("POST", f"/v1/rejects/{bad['id']}/replay", mended)[0] == 200
        assert shop.get("/v1/rejects")[1]["count"] == 2
        assert shop.get("/v1/stats")[1]["events"] == 2
    finally:
        shop.done()


@story
def what_a_sender_wrote_moves_no_cursor_of_who_looks_at_the_rejects():
    with Shop() as shop:
        shop.start()
        text = "<POSLog>\x1b[2J\x1b]52;c;cm0=\x07\u009b31m\u202ex\n    id           99"
        assert shop.send("/v1/poslog", text.encode())[0] == 200
        shown = subprocess.run([SOUK, "rejects", "--data", shop.data], capture_output=True, check=True).stdout.decode()
        assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c == "\u202e")], repr(shown)
        assert "<POSLog>?[2J?]52;c;cm0=??31m?x\n" in shown, repr(shown)
        assert [line for line in shown.split("\n") if line.startswith("    id ")] == ["    id           1"], shown
        assert shop.run("rejects")["rejects"][0]["text"] == text


@story
def merge_unmerge_consent_and_erasure_from_the_command_line():
    shop = Shop().start()
    try:
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2"), event("u2", "m3")]})
        shop.send("/v1/identify", {"userId": "u2", "traits": {"email": "Secret.Person@Example.com"}, "messageId": "m4"})
        assert shop.run("stats")["shoppers"] == 2
        shop.run("merge", "user", "u1", "user", "u2", "me", "same card")
        assert shop.run("stats")["shoppers"] == 1
        assert shop.run("profile", "user", "u1")["events"] == {"Product Viewed": 3, "Identify": 1}
        shop.run("unmerge", "user", "u2")
        assert shop.run("profile", "user", "u1")["events"] == {"Product Viewed": 1}
        assert "not permitted" in shop.run("profile", "user", "u2", "advertise", fails=1)
        shop.run("consent", "user", "u2", "advertise", "consent", "form 7", "adult")
        assert shop.run("profile", "user", "u2", "advertise")["orders"] == 0
        shop.run("consent", "user", "u2", "advertise", "withdrawn")
        assert "withdrew" in shop.run("profile", "user", "u2", "advertise", fails=1)
        assert shop.run("erase", "email", "secret.person@example.com")["events"] == 3
        assert "nobody" in shop.run("shopper", "user", "u2", fails=1)
        assert shop.run("stats")["events"] == 4
        shop.stop()
        for folder, _, files in os.walk(shop.data):
            for name in files:
                text = open(os.path.join(folder, name), "rb").read().lower()
                assert b"secret.person" not in text, name
        shop.run("verify")
        shop.run("rebuild")
        shop.run("verify")
    finally:
        shop.done()


@story
def a_restored_backup_does_not_bring_the_erased_back():
    shop = Shop().start()
    try:
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2")]})
        shop.stop()
        backup = os.path.join(os.path.dirname(shop.data), "backup")
        shop.run("backup", "--to", backup)
        shop.run("erase", "user", "u2")
        other = os.path.join(os.path.dirname(shop.data), "other")
        os.mkdir(other)
        for name in ["root.key", "erasures"]:
            shutil.copy(os.path.join(shop.data, name), os.path.join(other, name))
        shop.data = other
        shop.new_ledger()
        assert "erased" not in shop.end(shop.begin("restore", "--to", backup))[1]
        assert shop.run("stats")["events"] == 2
        assert shop.run("shopper", "user", "u1")["identifiers"][0]["value"] == "u1"
        assert "nobody" in shop.run("shopper", "user", "u2", fails=1)
    finally:
        shop.done()


@story
def a_restore_without_the_newest_erasures_says_who_may_be_back():
    shop = Shop()
    home = os.path.dirname(shop.data)
    backup, other, empty = (os.path.join(home, name) for name in ["backup", "other", "empty"])
    try:
        shop.run("backup", "--to", backup)
        for folder in [other, empty]:
            os.mkdir(folder)
        shutil.copy(os.path.join(shop.data, "root.key"), other)
        shop.data = other
        shop.new_ledger()
        assert "holds no backup" in shop.run("restore", "--to", empty, fails=1)
        out, words = shop.end(shop.begin("restore", "--to", backup))
        assert out == {"done": True} and "shoppers erased after it may be back" in words, (out, words)
    finally:
        shop.done()


@story
def a_timeline_of_large_events_comes_in_pages_whatever_number_is_asked_for():
    """One answer holds 4 MiB of texts: what anybody may ask for often must not take the server's memory."""
    with Shop() as shop:
        shop.start()
        for part in range(3):
            batch = [event("big", f"{part}-{i}", note="x" * 30000) for i in range(100)]
            assert shop.send("/v1/batch", {"batch": batch})[0] == 200
        told, before = [], 10**9
        while before:
            status, page = shop.get(f"/v1/shoppers/user/big/timeline?limit=1000&before={before}")
            assert status == 200 and len(json.dumps(page)) < 5 << 20, status
            told += [each["event"]["messageId"] for each in page["events"]]
            before = page.get("next_before")
        assert told == [f"{part}-{i}" for part in (2, 1, 0) for i in range(99, -1, -1)], (len(told), told[:3])


@story
@on_file
def a_ledger_cut_to_nothing_is_never_taken_for_an_empty_shop():
    """In the folder itself, and in a backup."""
    with Shop() as shop:
        shop.start()
        assert shop.send("/v1/track", event("u1", "m1"))[0] == 200
        assert shop.stop() == 0
        place = os.path.dirname(shop.data)
        backup, other = os.path.join(place, "backup"), os.path.join(place, "other")
        shop.run("backup", "--to", backup)
        os.mkdir(other, 0o700)
        shutil.copy(os.path.join(shop.data, "root.key"), other)
        home, shop.data = shop.data, other
        os.rename(os.path.join(backup, "ledger"), os.path.join(backup, "away"))
        assert "holds no backup" in shop.run("restore", "--to", backup, fails=1)
        open(os.path.join(backup, "ledger"), "w").close()
        assert "has no bytes" in shop.run("restore", "--to", backup, fails=1)
        shop.data = home
        os.truncate(os.path.join(home, "ledger"), 0)
        for words in ["stats"], ["verify"], ["rebuild"], ["serve", "--listen", "127.0.0.1:0"]:
            assert "has no bytes" in shop.run(*words, fails=1), words
        os.replace(os.path.join(backup, "away"), os.path.join(home, "ledger"))  # nothing else was touched
        assert shop.run("verify")["events"] == 1


@story
def what_was_acknowledged_survives_kill_9():
    shop = Shop()
    acknowledged, number, kills = set(), 0, int(os.environ.get("SOUK_KILLS", "12"))
    try:
        for _ in range(kills):
            shop.start()
            stop = threading.Event()

            def client(base):
                i = 0
                while not stop.is_set():
                    ids = [f"k{base}-{i}-{k}" for k in range(5)]
                    i += 1
                    try:
                        if shop.send("/v1/batch", {"batch": [event("u%d" % (i % 7), m) for m in ids]})[0] == 200:
                            acknowledged.update(ids)
                    except (OSError, IndexError, ValueError):
                        return
            threads = [threading.Thread(target=client, args=(number * 100 + c,)) for c in range(8)]
            number += 1
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.05, 0.4))
            shop.stop(signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join()
        shop.start()
        before = shop.get("/v1/stats")[1]["events"]
        assert before >= len(acknowledged), (before, len(acknowledged))
        ids = sorted(acknowledged)
        for i in range(0, len(ids), 500):  # each is a repeat: it is there, once
            assert shop.send("/v1/batch", {"batch": [event("u0", m) for m in ids[i:i + 500]]})[0] == 200
        assert shop.get("/v1/stats")[1]["events"] == before
        shop.stop()
        shop.run("verify")
        print(f"   kill -9: {kills} times, {len(acknowledged)} acknowledged, none lost", file=sys.stderr)
    finally:
        shop.done()


@story
def the_real_history_has_exact_totals():
    shared = os.environ.get("SOUK_SHARED", os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"))
    path = os.path.join(shared, "data", "online_retail", "online_retail.csv.gz")
    if not os.path.exists(path):
        print("   skipped: no online_retail.csv.gz under SOUK_SHARED", file=sys.stderr)
        return "skipped"
    shop = Shop()
    try:
        first = shop.run("import", "online-retail", path, "--basis", "profile=consent", "--age-band", "adult")
        assert first == {"rows": 541909, "events": 541909, "repeats": 0, "rejected": 0, "shoppers": 4372, "resumed": 0}, first
        wanted = {"events": 541909, "shoppers": 4372, "orders": 25900, "cancelled": 3836, "products": 4070,
                  "revenue": {"GBP": "9747747.934"}}
        assert shop.run("stats") == wanted, shop.run("stats")
        again = shop.run("import", "online-retail", path, "--basis", "profile=consent", "--age-band", "adult")
        assert again["events"] == 0 and again["repeats"] == 541909, again
        assert shop.run("stats") == wanted
        assert shop.run("profile", "user", "17850", "profile")["orders"] > 0
        shop.run("verify")
    finally:
        shop.done()
