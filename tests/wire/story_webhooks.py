"""Events told to other servers: to a receiver in node that verifies each by the standard's own library."""
import functools, json, os, queue, signal, socket, subprocess, sys, textwrap, threading, time, types, urllib.request

from lib import Shop, event, story

RECEIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "receiver")
WAIT_S = 60
LOCAL = {"SOUK_WEBHOOKS_ALLOW_PRIVATE": "127.0.0.0/8", "SOUK_WEBHOOKS_RETRY_MS": "50", "SOUK_WEBHOOKS_DEADLINE_MS": "1500",
         "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
INSTALLING = threading.Lock()


@functools.cache
def install():
    """Why the receiver cannot run; "": it can."""
    stamp, lock = (os.path.join(RECEIVER, name) for name in ["node_modules/.package-lock.json", "package-lock.json"])
    if os.path.exists(stamp) and os.path.getmtime(stamp) >= os.path.getmtime(lock):
        return ""
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=RECEIVER, capture_output=True, text=True, timeout=240)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm: {error}"
    return "" if done.returncode == 0 else "npm: " + (done.stderr.strip().splitlines() or ["?"])[0]


def with_receiver(told):
    @functools.wraps(told)
    def tell():
        with INSTALLING:
            why = install()
        if why:
            print(f"   skipped: {told.__name__}: {why}", file=sys.stderr)
            return "skipped"
        with Receiver() as receiver, Shop() as shop:
            return told(shop, receiver)
    return story(tell)


class Receiver:
    def __enter__(self):
        self.process = subprocess.Popen(["node", "receiver.js"], cwd=RECEIVER, stdout=subprocess.PIPE, text=True)
        self.address = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"
        self.queue, self.heard, self.secrets = queue.Queue(), [], []
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def listen(self):
        try:
            for line in self.process.stdout:
                self.queue.put(json.loads(line))
        except ValueError:
            pass

    def tell(self, path, value=None):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(urllib.request.Request(self.address + path, json.dumps(value).encode(), method="PUT")).close()

    def know(self, secret):
        self.secrets.append(secret)
        self.tell("/secrets", self.secrets)

    def until(self, holds):
        """Listens until holds(all that was heard)."""
        end = time.monotonic() + WAIT_S
        while not holds(self.heard):
            left = end - time.monotonic()
            assert left > 0, f"heard {len(self.heard)}: {self.heard[-3:]}"
            try:
                self.heard.append(self.queue.get(timeout=left))
            except queue.Empty:
                pass
        return self.heard


def add(shop, receiver, path, events, **more):
    status, body, head = shop.call("POST", "/v1/webhooks", {"url": receiver.address + path, "events": events, **more})
    assert status == 201, body
    made = json.loads(body)
    receiver.know(made["secret"])
    return made


def until(holds):
    """What becomes true without a sign: what the server writes down behind an answer."""
    end = time.monotonic() + WAIT_S
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end
        time.sleep(0.05)


def deliveries(shop, webhook, query=""):
    status, page = shop.get(f"/v1/webhooks/{webhook['id']}/deliveries{query}")
    assert status == 200, page
    return page["deliveries"]


def order(user, message, store="S1", name="Order Completed"):
    return event(user, message, name, order_id=message, revenue="12.5", currency="EUR", store=store, store_id=store,
                 products=[{"product_id": "P1", "category": "Snacks", "price": 6.25, "quantity": 2}])


def settled(shop, *webhooks):
    """Until nothing waits and nobody is behind."""
    def is_told(webhook):
        found = shop.get(f"/v1/webhooks/{webhook['id']}")[1]
        return found["waiting"] == 0 and found["behind"] == 0
    until(lambda: all(map(is_told, webhooks)))


@with_receiver
def exactly_the_wanted_events_arrive_each_verified(shop, receiver):
    shop.start(LOCAL)
    assert shop.send("/v1/track", order("u0", "before"))[0] == 200
    orders = add(shop, receiver, "/ok?orders", ["Order Completed", "Completed Order"])
    everything = add(shop, receiver, "/ok?all", ["*"], purpose="serve")
    batch = [order(f"u{i}", f"o{i}") for i in range(20)] + [event(f"u{i}", f"v{i}") for i in range(30)]
    assert shop.send("/v1/batch", {"batch": batch})[0] == 200
    heard = receiver.until(lambda heard: len(heard) >= 70)
    settled(shop, orders, everything)
    of = {path: [each for each in heard if each["path"] == path] for path in ["/ok?orders", "/ok?all"]}
    assert len(heard) == 70 and len(of["/ok?orders"]) == 20 and len({each["id"] for each in heard}) == 70
    for each in heard:
        mine = [each["path"] == "/ok?orders", each["path"] == "/ok?all"]
        assert each["library"] == each["hand"] == mine, each
        assert each["method"] == "POST" and each["headers"]["content-type"] == "application/json", each["headers"]
        assert each["id"].startswith("msg_") and abs(time.time() - int(each["headers"]["webhook-timestamp"])) < 300
    one = of["/ok?orders"][0]["body"]
    assert one["type"] == "Order Completed" and "person" not in one["data"], one
    assert one["data"]["amount"] == "12.5" and one["data"]["currency"] == "EUR", one
    assert one["data"]["products"] == [{"product": "P1", "category": "Snacks", "quantity": "2", "amount": "12.5"}], one
    persons = {each["body"]["data"]["person"]["event"]["userId"] for each in of["/ok?all"]}
    assert len(persons) == 30 and all(len(each["body"]["data"]["person"]["shopper"]) == 32 for each in of["/ok?all"])
    counters = shop.call("GET", "/metrics")[1].decode()
    assert "\nsouk_webhooks_delivered_total 70\n" in counters and "\nsouk_webhooks_waiting 0\n" in counters
    assert "\nsouk_webhooks_told_total 50\n" in counters, counters
    assert {each["state"] for each in deliveries(shop, orders)} == {"delivered"}


@with_receiver
def receivers_that_fail_break_and_dawdle_are_tried_again_under_the_same_id(shop, receiver):
    shop.start(LOCAL)
    paths = ["/twice", "/busy", "/cut", "/large", "/trickle", "/slow", "/redirect", "/gone"]
    made = {path: add(shop, receiver, path, ["A"]) for path in paths}
    assert shop.send("/v1/track", event("u1", "m1", "A"))[0] == 200
    times = {"/twice": 3, "/busy": 2, "/cut": 2, "/large": 1, "/trickle": 1, "/slow": 2, "/redirect": 2, "/gone": 1}
    count = lambda heard, path: sum(each["path"] == path for each in heard)
    heard = receiver.until(lambda heard: all(count(heard, path) >= times[path] for path in paths))
    settled(shop, *(made[path] for path in ["/twice", "/busy", "/cut", "/large", "/trickle"]))
    for path in ["/twice", "/busy", "/cut", "/large", "/trickle"]:
        assert count(receiver.heard, path) == times[path], path
        assert deliveries(shop, made[path])[0]["tries"] == times[path], path
    for path in paths:
        assert len({each["id"] for each in heard if each["path"] == path}) == 1, path
        assert all(any(each["library"]) for each in heard), path
    assert count(receiver.heard, "/trap") == 0  # a redirect leads nowhere
    state = lambda path: shop.get(f"/v1/webhooks/{made[path]['id']}")[1]["state"]
    until(lambda: state("/gone") == "gone")
    fault = lambda path: deliveries(shop, made[path])[0]["fault"]
    assert "redirect" in fault("/redirect") and "deadline" in fault("/slow"), (fault("/redirect"), fault("/slow"))
    first, second = [each for each in heard if each["path"] == "/busy"][:2]
    assert int(second["headers"]["webhook-timestamp"]) >= int(first["headers"]["webhook-timestamp"]) + 1  # Retry-After
    assert shop.call("POST", f"/v1/webhooks/{made['/gone']['id']}/test")[0] == 409
    assert shop.send("/v1/track", event("u1", "m2", "A"))[0] == 200
    receiver.until(lambda heard: count(heard, "/large") == 2)
    assert count(receiver.heard, "/gone") == 1  # off, so nothing more


@with_receiver
def kill_9_loses_no_delivery_and_repeats_keep_their_ids(shop, receiver):
    shop.start(LOCAL)
    webhook = add(shop, receiver, "/ok", ["A"], rate=1000)
    wanted = 0
    for life in range(4):
        for part in range(2):
            batch = [event(f"u{i}", f"{life}-{part}-{i}", "A" if i % 2 else "B") for i in range(400)]
            assert shop.send("/v1/batch", {"batch": batch})[0] == 200
            wanted += 200
        seen = len(receiver.heard)
        receiver.until(lambda heard: len(heard) >= seen + 60)
        shop.stop(signal.SIGKILL)
        shop.start(LOCAL)
    positions = lambda heard: {each["body"]["data"]["position"] for each in heard}
    heard = receiver.until(lambda heard: len(positions(heard)) >= wanted)
    settled(shop, webhook)
    ids = {}
    for each in receiver.heard:
        assert each["library"] == [True] and each["body"]["type"] == "A", each
        assert ids.setdefault(each["body"]["data"]["position"], each["id"]) == each["id"], each
    assert len(ids) == wanted == len(set(ids.values())), (len(ids), wanted)
    print(f"   webhooks: {wanted} told through 4 kills, {len(heard) - wanted} of them again", file=sys.stderr)
    assert shop.stop() == 0
    assert shop.run("verify")["done"]


@with_receiver
def while_a_secret_is_rotated_both_sign(shop, receiver):
    shop.start(LOCAL)
    webhook = add(shop, receiver, "/ok", ["A"])
    path = f"/v1/webhooks/{webhook['id']}"

    def tested(count):
        assert shop.call("POST", path + "/test")[0] == 202
        last = receiver.until(lambda heard: len(heard) == count)[-1]
        assert last["body"]["type"] == "webhook.test" and last["library"] == last["hand"], last
        return last["library"]

    def rotate(body):
        status, answer, _ = shop.call("POST", path + "/rotate", body)
        assert status == 200, answer
        receiver.know(json.loads(answer)["secret"])

    assert tested(1) == [True]
    rotate({})
    assert tested(2) == [True, True]
    rotate({"keep_s": 0})
    assert tested(3) == [False, False, True]
    assert "secret" not in shop.get(path)[1] and "secret" not in shop.get("/v1/webhooks")[1]["webhooks"][0]
    shop.stop()
    for folder, _, files in os.walk(shop.data):
        for name in files:
            data = open(os.path.join(folder, name), "rb").read()
            for secret in receiver.secrets:
                assert secret.encode() not in data and secret[6:].encode() not in data, name


@with_receiver
def a_webhook_does_not_lead_to_the_machines_beside_the_server(shop, receiver):
    port = receiver.address.rsplit(":", 1)[1]
    with socket.socket() as beside:
        beside.bind(("127.0.0.1", 0))
        shop.start({**LOCAL, "SOUK_WEBHOOKS_ALLOW_PRIVATE": "127.0.0.1"})
        webhook = add(shop, receiver, "/ok", ["*"])
        named = json.loads(shop.call("POST", "/v1/webhooks", {"url": f"http://localhost:{port}/named", "events": ["*"]})[1])
        receiver.know(named["secret"])
        assert shop.call("POST", f"/v1/webhooks/{named['id']}/test")[0] == 202
        receiver.until(lambda heard: len(heard) == 1)
        settled(shop, named)
        shop.stop()
        shop.start({**LOCAL, "SOUK_WEBHOOKS_ALLOW_PRIVATE": ""})  # from now on they lead where nothing may go
        for host, words in [("127.0.0.1", "loopback"), ("[::1]", "loopback"), ("169.254.169.254", "link-local"),
                            ("10.0.0.1", "private"), ("[::ffff:10.0.0.1]", "private"), ("[fd00:ec2::254]", "private"),
                            ("100.100.100.200", "metadata"), ("2130706433", "ends in a number"), ("0x7f000001", "ends in a number"),
                            ("0177.0.0.1", "ends in a number"), ("127.1", "ends in a number"), ("localhost", "loopback"),
                            ("sub.localhost", "loopback"), ("127.0.0.1.", "ends in a number"),
                            ("nobody.invalid", "not known"), ("user@127.0.0.1", "user or a password")]:
            status, body, _ = shop.call("POST", "/v1/webhooks", {"url": f"https://{host}:{port}/ok", "events": ["*"]})
            assert status in (400, 403) and words in json.loads(body)["detail"], (host, status, body)
        status, body, _ = shop.call("POST", "/v1/webhooks", {"url": "http://8.8.8.8/", "events": ["*"]})
        assert status == 403 and "use https://" in json.loads(body)["detail"], body
        for each in webhook, named:
            assert shop.call("POST", f"/v1/webhooks/{each['id']}/test")[0] == 202
            until(lambda: deliveries(shop, each)[0]["tries"] > 0)
            assert "address is not one" in deliveries(shop, each)[0]["fault"], deliveries(shop, each)[0]
        assert receiver.queue.empty() and len(receiver.heard) == 1
        assert "\nsouk_webhooks_refused_total 0\n" not in shop.call("GET", "/metrics")[1].decode()


@with_receiver
def a_person_who_withdraws_while_a_delivery_waits_is_not_told_of(shop, receiver):
    shop.start(LOCAL)
    assert shop.send("/v1/track", event("u1", "m0"))[0] == 200
    assert shop.send("/v1/track", event("u2", "m1"))[0] == 200
    for user in "u1", "u2":
        shop.run("consent", "user", user, "profile", "consent", "form 1")
    add(shop, receiver, "/held", ["A"], purpose="profile")
    told = add(shop, receiver, "/ok", ["consent.withdrawn", "person.erased"], purpose="profile")
    assert shop.send("/v1/track", event("u1", "m2", "A", note="hers alone"))[0] == 200
    assert shop.send("/v1/track", event("u2", "m3", "A", note="hers alone"))[0] == 200
    held = lambda heard: [each for each in heard if each["path"] == "/held"]
    persons = lambda heard: {(each["id"], (each["body"]["data"]["person"] or {}).get("shopper")) for each in held(heard)}
    heard = receiver.until(lambda heard: len(persons(heard)) == 2)
    shoppers = {each["body"]["data"]["person"]["event"]["userId"]: each["body"]["data"]["person"]["shopper"] for each in held(heard)}
    shop.run("consent", "user", "u1", "profile", "withdrawn")
    shop.run("erase", "user", "u2")
    own = [each for each in receiver.until(lambda heard: sum(each["path"] == "/ok" for each in heard) == 2) if each["path"] == "/ok"]
    by_type = {each["body"]["type"]: each["body"]["data"] for each in own}
    assert by_type["consent.withdrawn"]["purpose"] == "profile", by_type
    assert by_type["consent.withdrawn"]["shopper"] == shoppers["u1"] and by_type["person.erased"]["shoppers"] == [shoppers["u2"]], by_type
    seen = len(receiver.heard)
    receiver.tell("/release")
    after = receiver.until(lambda heard: len({each["id"] for each in held(heard[seen:])}) == 2)
    last = {each["id"]: each for each in held(after)}.values()
    assert all(each["body"]["data"]["person"] is None for each in last), last
    assert sorted(each["body"]["data"].get("withheld", False) for each in last) == [False, True], last
    assert "hers alone" not in json.dumps([each["body"] for each in last])
    settled(shop, told)


@with_receiver
def webhooks_are_changed_under_their_version_and_from_the_command_line(shop, receiver):
    shop.start(LOCAL)
    webhook = shop.run("webhook", "add", receiver.address + "/twice", "--events", "Order Completed, Own Event")
    receiver.know(webhook["secret"])
    assert webhook["events"] == ["Order Completed", "Own Event"] and webhook["version"] == 1, webhook
    path = f"/v1/webhooks/{webhook['id']}"
    status, body, head = shop.call("GET", path)
    etag = next(line.split(b": ")[1].decode() for line in head.split(b"\r\n") if line.lower().startswith(b"etag:"))
    assert shop.call("GET", path, headers=[f"If-None-Match: {etag}"])[0] == 304
    changed = {"url": receiver.address + "/ok", "events": ["*"], "stores": ["S1"], "rate": 7}
    assert shop.call("PUT", path, changed)[0] == 428
    assert shop.call("PUT", path, changed, headers=["If-None-Match: *"])[0] == 412
    status, body, _ = shop.call("PUT", path, changed, headers=[f"If-Match: {etag}"])
    assert status == 200 and json.loads(body)["version"] == 2 and json.loads(body)["stores"] == ["S1"], body
    status, body, _ = shop.call("PUT", path, changed, headers=[f"If-Match: {etag}"])
    assert status == 412 and "changed meanwhile" in json.loads(body)["detail"], body
    for wrong, words in [({"events": []}, "which events"), ({"events": ["order completed"]}, "'Order Completed'"),
                         ({"rate": 0}, "1 to 1000"), ({"purpose": "fun"}, "no purpose"), ({"url": "ftp://x"}, "https://"),
                         ({"stores": "S1"}, "list"), ({"enabled": 1}, "true or false"), ({"events": ["a\nb"]}, "control")]:
        status, body, _ = shop.call("POST", "/v1/webhooks", {**changed, **wrong})
        assert status == 400 and words in json.loads(body)["detail"], (wrong, body)
    test = shop.run("webhook", "test", str(webhook["id"]))
    receiver.until(lambda heard: len(heard) == 1)
    until(lambda: shop.run("webhook", "deliveries", str(webhook["id"]))["deliveries"][0]["state"] == "delivered")
    again = shop.run("webhook", "retry", str(webhook["id"]), str(test["id"]))
    assert again["webhook_id"] == test["webhook_id"], again
    heard = receiver.until(lambda heard: len(heard) == 2)
    assert heard[0]["id"] == heard[1]["id"] == test["webhook_id"]
    assert "no delivery" in shop.run("webhook", "retry", str(webhook["id"]), "77", fails=1)
    assert shop.run("webhook", "list")["webhooks"][0]["id"] == webhook["id"]
    assert shop.run("webhook", "remove", str(webhook["id"])) == {"removed": True}
    assert "no webhook" in shop.run("webhook", "deliveries", str(webhook["id"]), fails=1)
    assert shop.run("webhook", "list")["webhooks"] == []
    assert shop.stop() == 0


@story
def the_verifier_that_the_page_shows_takes_the_standards_vector():
    with open(os.path.join(RECEIVER, "..", "..", "docs", "webhooks.md")) as page:
        text = page.read()
    block = text[text.index("    import base64, hashlib"):text.index("## Answer")]
    names = {}
    exec(textwrap.dedent(block), names)
    names["time"] = types.SimpleNamespace(time=lambda: 1614265330 + 299)
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
               "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert names["verified"](secret, headers, body)
    assert not names["verified"](secret, headers, body + b" ")
    names["time"] = types.SimpleNamespace(time=lambda: 1614265330 + 301)
    assert not names["verified"](secret, headers, body)
