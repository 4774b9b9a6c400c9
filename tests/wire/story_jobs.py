"""Long work beside a running server: imports, backups, checks; and who may speak, changed while it runs."""
import json, os, shutil, signal, sys, time

from lib import ON_POSTGRES, Shop, event, story
from load import WAIT_S, Load, send_again

COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def history(shop, rows):
    """A made-up file of so many rows, and the totals it must have."""
    path = os.path.join(os.path.dirname(shop.data), "history.csv")
    micro, customers, invoices, cancelled, products = 0, set(), set(), set(), set()
    with open(path, "w") as file:
        file.write(COLUMNS + "\r\n")
        for i in range(rows):
            number = i // 4
            invoice = f"C{number}" if number % 10 == 9 else str(number)
            product, cents, customer = f"P{i * 7 % 613}", i * 31 % 5000 + 1, "" if number % 6 == 5 else str(10000 + number % 997)
            quantity = -2 if invoice[0] == "C" else i % 9 + 1
            file.write(f"{invoice},{product},THING {product},{quantity},2011-{number % 12 + 1:02}-03 10:{number % 60:02}:00,"
                       f"{cents // 100}.{cents % 100:02},{customer},France\r\n")
            micro += quantity * cents * 10000
            customers.add(customer)
            invoices.add(invoice)
            products.add(product)
            if invoice[0] == "C":
                cancelled.add(invoice)
    revenue = f"{micro // 10**6}.{micro % 10**6:06}".rstrip("0").rstrip(".")
    return path, {"rows": rows, "shoppers": len(customers - {""}), "orders": len(invoices), "cancelled": len(cancelled),
                  "products": len(products), "revenue": {"GBP": revenue}}


def has_totals(shop, wanted, more_events=0, more_shoppers=0):
    stats = shop.run("stats")
    got = {key: stats[key] for key in ("orders", "cancelled", "products", "revenue")}
    assert got == {key: wanted[key] for key in got}, (got, wanted)
    assert stats["events"] == wanted["rows"] + more_events, (stats, wanted, more_events)
    assert stats["shoppers"] == wanted["shoppers"] + more_shoppers, (stats, wanted, more_shoppers)


def job_on_its_way(shop, behind=0):
    """Waits until the newest job, newer than this id, has done something, and not all."""
    end = time.monotonic() + WAIT_S
    while True:
        jobs = [job for job in shop.get("/v1/jobs")[1]["jobs"] if job["id"] > behind]
        if jobs and jobs[0]["state"] == "running" and jobs[0]["done"]:
            assert jobs[0]["done"] < jobs[0]["total"], jobs[0]
            return jobs[0]["id"]
        assert (not jobs or jobs[0]["state"] in ("waiting", "running")) and time.monotonic() < end, jobs[:1]


def import_while_events_come(shop, path, wanted):
    shop.start()
    with Load(shop, events=20) as load:
        load.wait(acknowledged=100)
        made, words = shop.end(shop.begin("import", "online-retail", path))
        assert "states no basis" in made.pop("note"), made
        assert made == {"rows": wanted["rows"], "events": wanted["rows"], "repeats": 0, "rejected": 0,
                        "shoppers": wanted["shoppers"], "resumed": 0}, made
        assert "import" in words and "bytes" in words, words  # the bar's last line
        load.wait(acknowledged=100)
        assert shop.run("verify")["done"]
    assert not load.refused and not load.unknown, (len(load.refused), len(load.unknown))
    visitors = len({int(message.split("-")[1]) % 97 for message in load.acknowledged})  # load.py: a batch has one user
    has_totals(shop, wanted, len(load.acknowledged), visitors)
    again = shop.run("import", "online-retail", path)
    assert (again["events"], again["repeats"]) == (0, wanted["rows"]), again
    job = shop.get("/v1/jobs")[1]["jobs"][0]
    assert (job["kind"], job["state"], job["result"]) == ("import", "done", again), job
    assert shop.stop() == 0
    assert shop.run("verify")["done"]
    has_totals(shop, wanted, len(load.acknowledged), visitors)


@story
def an_import_beside_the_server_has_exact_totals_while_events_come():
    with Shop() as shop:
        import_while_events_come(shop, *history(shop, 60000))


@story
def the_real_history_beside_the_server_has_exact_totals_while_events_come():
    shared = os.environ.get("SOUK_SHARED", os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"))
    path = os.path.join(shared, "data", "online_retail", "online_retail.csv.gz")
    if not os.path.exists(path):
        print("   skipped: no online_retail.csv.gz under SOUK_SHARED", file=sys.stderr)
        return "skipped"
    with Shop() as shop:
        import_while_events_come(shop, path, {"rows": 541909, "shoppers": 4372, "orders": 25900, "cancelled": 3836,
                                              "products": 4070, "revenue": {"GBP": "9747747.934"}})


@story
def an_import_that_is_cancelled_goes_on_where_it_was():
    with Shop() as shop:
        path, wanted = history(shop, 250000)
        shop.start()
        for behind, cancel in (0, "interrupt"), (2, "route"):
            command = shop.begin("import", "online-retail", path)
            job = job_on_its_way(shop, behind)
            if cancel == "interrupt":
                command.send_signal(signal.SIGINT)
            else:
                assert shop.call("POST", f"/v1/jobs/{job}/cancel")[0] == 202
            made, words = shop.end(command, fails=1)
            assert made is None and "run the same command again" in words, words
            told = shop.get(f"/v1/jobs/{job}")[1]
            assert told["state"] == "cancelled" and told["ended"] and told["result"] is None, told
            assert shop.call("POST", f"/v1/jobs/{job}/cancel")[0] == 409
            assert shop.run("verify")["done"]
        before = shop.events()
        assert 0 < before < wanted["rows"], before
        made = shop.run("import", "online-retail", path)
        assert made["rows"] == wanted["rows"] and made["events"] == wanted["rows"] - before and made["resumed"], made
        has_totals(shop, wanted)


@story
def an_import_cut_off_by_kill_9_is_told_so_and_goes_on():
    with Shop() as shop:
        path, wanted = history(shop, 250000)
        shop.start()
        command = shop.begin("import", "online-retail", path)
        job = job_on_its_way(shop)
        shop.stop(signal.SIGKILL)
        made, words = shop.end(command, fails=1)
        assert made is None and "do the same again" in words, words
        shop.start()
        told = shop.get(f"/v1/jobs/{job}")[1]
        assert told["state"] == "interrupted" and "do the same again" in told["words"], told
        before = shop.events()
        assert before < wanted["rows"], before  # nothing began again by itself
        made = shop.run("import", "online-retail", path)
        assert (made["rows"], made["events"]) == (wanted["rows"], wanted["rows"] - before), made
        has_totals(shop, wanted)
        assert shop.run("verify")["done"]


@story
def a_server_that_is_stopped_ends_its_job_and_says_so():
    with Shop() as shop:
        path, wanted = history(shop, 250000)
        shop.start()
        command = shop.begin("import", "online-retail", path)
        job_on_its_way(shop)
        assert shop.stop() == 0
        made, words = shop.end(command, fails=1)
        assert made is None and "do the same again" in words, words
        made = shop.run("import", "online-retail", path)  # alone, this time
        assert made["rows"] == wanted["rows"] and made["resumed"], made
        states = [job["state"] for job in shop.run("jobs")["jobs"]]
        assert states == ["done", "interrupted"], states
        has_totals(shop, wanted)


@story
def a_backup_beside_the_server_under_load_is_whole_and_holds_what_was_acknowledged_before():
    with Shop() as shop:
        shop.start()
        folder = os.path.dirname(shop.data)
        backup, other = os.path.join(folder, "backup"), os.path.join(folder, "other")
        shop.send("/v1/batch", {"batch": [event("gone", "gone")]})
        with Load(shop) as load:
            load.wait(acknowledged=2000)
            shop.run("erase", "user", "gone")
            before = list(load.acknowledged)
            assert shop.run("backup", "--to", backup) == {"done": True}
            after = len(load.acknowledged) + 4 * load.event_count  # and what was under way
            load.wait(acknowledged=1000)
            assert "take an empty folder" in shop.run("backup", "--to", backup, fails=1)
        assert sorted(os.listdir(backup)) == ["erasures", "keys", "ledger"], os.listdir(backup)
        shop.stop()
        os.mkdir(other)
        for name in ["root.key", "erasures"]:
            shutil.copy(os.path.join(shop.data, name), os.path.join(other, name))
        shop.data = other
        if ON_POSTGRES:  # a shop is there
            assert "name an empty one" in shop.run("restore", "--to", backup, fails=1)
        shop.new_ledger()
        shop.run("restore", "--to", backup)
        assert shop.run("verify")["done"]
        shop.start()
        held = shop.events()
        assert len(before) + 1 <= held <= after + 1, (len(before), held, after)  # 1: hers
        send_again(shop, before)
        assert shop.events() == held, ("acknowledged before the backup, not in it", shop.events() - held)


@story
def files_are_read_for_their_owner_only_and_rebuild_wants_to_be_alone():
    with Shop() as shop:
        path, _ = history(shop, 20)
        shop.start()
        body = {"kind": "import", "format": "online-retail", "file": path}
        for auth in [None, "", shop.basic(), "Bearer x"]:
            assert shop.call("POST", "/v1/jobs", body, auth=auth)[0] in (404, 405), auth
        assert shop.get("/v1/jobs")[1] == {"jobs": []} and shop.events() == 0
        words = shop.run("rebuild", fails=1)
        assert "stop the server" in words, words
        assert "cannot be read" in shop.run("import", "online-retail", path + "x", fails=1)
        assert "no purpose" in shop.run("import", "online-retail", path, "--basis", "x=consent", fails=2)
        assert "no format" in shop.run("import", "poems", path, fails=2)
        assert shop.run("import", "online-retail", path)["events"] == 20
        assert shop.run("jobs", "1")["state"] == "failed"


@story
def a_key_or_token_that_is_revoked_is_refused_at_once():
    with Shop() as shop:
        shop.start()
        till = shop.run("source", "add", "till", "--basis", "profile=consent", "--age-band", "adult")["write_key"]
        more = shop.run("key", "new", "till")
        send = lambda key, message: shop.call("POST", "/v1/batch", {"batch": [event("u1", message)]}, auth=shop.basic(key))
        assert send(till, "m1")[0] == 200 == send(more["write_key"], "m2")[0]
        for _ in range(3):
            made = shop.run("key", "new", "till")
            assert send(made["write_key"], "m3")[0] == 200
            assert shop.run("key", "revoke", made["id"])["revoked"]
            status, _, head = send(made["write_key"], "m4")
            assert status == 401 and b'WWW-Authenticate: Basic realm="' in head, head
        assert shop.events() == 3
        token = shop.run("token", "new", "read", "--name", "wall")
        bearer = "Bearer " + token["token"]
        assert shop.call("GET", "/v1/stats", auth=bearer)[0] == 200
        assert shop.call("GET", "/v1/jobs", auth=bearer)[0] == 403 == shop.call("POST", "/v1/tokens", b"{}", auth=bearer)[0]
        assert shop.run("token", "revoke", token["id"])["revoked"]
        for path in ["/v1/stats", "/v1/jobs", "/v1/keys"]:
            status, _, head = shop.call("GET", path, auth=bearer)
            assert status == 401 and b'WWW-Authenticate: Bearer realm="' in head, head
        assert "no token" in shop.run("token", "revoke", token["id"], fails=1)
        listed = json.dumps([shop.run(what, "list") for what in ("source", "key", "token")])
        assert "till" in listed and more["id"] in listed and "souk_wk_" not in listed and "souk_at_" not in listed, listed
        shop.stop(signal.SIGKILL)
        shop.start()
        assert shop.call("GET", "/v1/stats", auth=bearer)[0] == 401 and send(made["write_key"], "m5")[0] == 401
        assert send(till, "m1")[0] == 200 and shop.events() == 3


@story
def checks_beside_the_server_find_nothing_while_events_come_and_people_are_merged_and_erased():
    with Shop() as shop:
        shop.start()
        with Load(shop) as load:
            load.wait(acknowledged=2000)
            for i in range(5):
                a, b = ({"kind": "user", "value": f"{letter}{i}"} for letter in "ab")
                assert shop.send("/v1/batch", {"batch": [event(n["value"], n["value"]) for n in (a, b)]})[0] == 200
                assert shop.call("POST", "/v1/shoppers/merge", {"a": a, "b": b})[0] == 200
                command = shop.begin("verify")
                assert shop.call("POST", "/v1/shoppers/erase", {"a": a})[0] == 200
                assert shop.end(command)[0]["done"]
        events = shop.events()
        assert events == len(load.acknowledged) + 10, (events, len(load.acknowledged))
        send_again(shop, load.acknowledged)
        assert shop.events() == events


@story
def a_pages_key_grants_nothing_for_a_user_it_names_until_its_source_speaks_for_anybody():
    with Shop() as shop:
        shop.start()
        yes = {"type": "identify", "userId": "ann", "traits": {"age": 30}, "context": {"consent": {"categoryPreferences": {"profile": True}}}}
        shop.send("/v1/batch", {"batch": [yes]})
        profile = "/v1/shoppers/user/ann/profile?purpose=profile"
        assert shop.call("GET", profile)[0] == 403
        assert shop.run("source", "list")["sources"][0]["speaks_for"] == "visitor"
        assert shop.run("source", "set", "web", "--speaks-for", "anybody") == {"source": "web", "speaks_for": "anybody"}
        assert "speaks_for is visitor" in shop.run("source", "set", "web", "--speaks-for", "me", fails=2)
        shop.send("/v1/batch", {"batch": [yes]})
        assert shop.call("GET", profile)[0] == 200
        shop.stop()  # and after a restart
        shop.start()
        assert shop.run("source", "list")["sources"][0]["speaks_for"] == "anybody"
        shop.send("/v1/batch", {"batch": [{**yes, "context": {"consent": {"categoryPreferences": {"profile": False}}}}]})
        assert shop.call("GET", profile)[0] == 403
