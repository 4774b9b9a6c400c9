"""The live stream: who listens hears what is sent, once and in order, whatever breaks in between."""
import json, os, signal, socket, subprocess, threading, time

from lib import SOUK, Shop, event, story
from load import WAIT_S
from story_jobs import history


class Listener:
    """One stream over HTTP/1.0, which is the stream as it is: (event, data, id) by `hear`."""

    def __init__(self, shop, query="", token=None, last=None, source=None, read=True):
        self.socket = socket.create_connection(shop.address, WAIT_S, source_address=source)
        lines = [f"GET /v1/stream{query} HTTP/1.0", "Host: souk"]
        if token != "":
            lines.append(f"Authorization: Bearer {token or shop.token}")
        if last is not None:
            lines.append(f"Last-Event-ID: {last}")
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.bytes = b""
        self.last = str(last) if last is not None else None
        head = self.until(b"\r\n\r\n").decode()
        self.status, self.head = int(head.split(" ")[1]), head
        if self.status != 200:
            self.problem = json.loads(self.rest())

    def more(self):
        got = self.socket.recv(65536)
        self.bytes += got
        return bool(got)

    def until(self, mark):
        while mark not in self.bytes:
            assert self.more(), ("the stream ended", self.bytes)
        part, _, self.bytes = self.bytes.partition(mark)
        return part

    def rest(self):
        while self.more():
            pass
        return self.bytes

    def hear(self):
        """The next message that has data."""
        while True:
            fields = {"event": "message"}
            for line in self.until(b"\n\n").decode().split("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
            self.last = fields.get("id", self.last)
            if "data" in fields:
                return fields["event"], json.loads(fields["data"]), self.last

    def product(self):
        """The product of the next message, which is an event."""
        name, data, _ = self.hear()
        assert name == "event", (name, data)
        return data["products"][0]["product"]

    def hears(self, wanted):
        got = [self.product() for _ in wanted]
        assert got == wanted, (got, wanted)
        return self

    def ends(self, why):
        name, data, _ = self.hear()
        assert name == "end" and why in data["why"], (name, data)
        assert not self.more() and not self.bytes, self.bytes

    def close(self):
        self.socket.close()


def send(shop, numbers, store="S1", name="Product Viewed", user=None):
    batch = [event(user or f"u{n}", f"m{n}", name, product_id=f"P{n}", store_id=store) for n in numbers]
    status = shop.send("/v1/batch", {"batch": batch})[0]
    assert status == 200, status


def products(numbers):
    return [f"P{n}" for n in numbers]


@story
def a_listener_hears_what_is_sent_in_order_and_what_its_filters_ask_for():
    with Shop() as shop:
        shop.start()
        everything, store = Listener(shop), Listener(shop, "?store=S2")
        types = Listener(shop, "?type=Product%20Added&type=Cart%20Viewed")
        both, product = Listener(shop, "?store=S2&type=Cart%20Viewed"), Listener(shop, "?product=P4")
        send(shop, [1, 2])
        send(shop, [3], "S2", "Cart Viewed")
        send(shop, [4, 5], "S2", "Product Added")
        send(shop, [1, 2])  # repeats
        send(shop, [6], "S3", "Cart Viewed")
        everything.hears(products([1, 2, 3, 4, 5, 6]))
        store.hears(products([3, 4, 5]))
        types.hears(products([3, 4, 5, 6]))
        both.hears(products([3]))
        product.hears(products([4]))
        assert "text/event-stream" in everything.head and "no-store" in everything.head, everything.head
        metrics = shop.call("GET", "/metrics")[1].decode()
        assert "\nsouk_stream_listeners 5\n" in metrics and "\nsouk_stream_told_total 15\n" in metrics, metrics
        assert shop.stop() == 0


@story
def a_listener_that_comes_back_hears_each_event_once_across_kill_9():
    with Shop() as shop:
        shop.start()
        acknowledged, heard, last = [], [], None
        for life in range(3):
            listener = Listener(shop, last=last)
            if life:  # what came while nobody listened, then what comes now
                missing = len(acknowledged) - len(heard)
                heard += [listener.product() for _ in range(missing)]
            for batch in range(5):
                numbers = [life * 1000 + batch * 10 + i for i in range(10)]
                send(shop, numbers)
                acknowledged += products(numbers)
                heard += [listener.product() for _ in range(10 if batch < 3 else 4)]
            last = listener.last
            listener.close()
            shop.stop(signal.SIGKILL)
            shop.start()
        listener = Listener(shop, last=last)
        heard += [listener.product() for _ in range(len(acknowledged) - len(heard))]
        assert heard == acknowledged, (len(heard), len(acknowledged))
        send(shop, [9999])
        listener.hears(["P9999"])
        assert shop.run("verify")["done"]


@story
def a_listener_from_too_far_back_is_told_the_gap_and_the_rest():
    with Shop() as shop:
        path, _ = history(shop, 120000)
        shop.run("import", "online-retail", path)
        shop.start()
        listener = Listener(shop, "?from=1")
        name, data, last = listener.hear()
        assert (name, data) == ("gap", {"from": 1, "through": 20000}) and last == "20000", (name, data, last)
        for position in range(20001, 120001):
            name, data, last = listener.hear()
            assert name == "event" and data["position"] == position and last == str(position), (name, data, position)
        send(shop, [1])
        listener.hears(["P1"])


@story
def a_listener_that_does_not_read_delays_nobody_and_is_told_what_it_lost():
    with Shop() as shop:
        shop.start()
        slow, quick = Listener(shop, "?rate=10000"), Listener(shop, "?rate=10000&store=S1")
        count = 9000
        for first in range(0, count, 100):
            send(shop, range(first, first + 100))
            quick.hears(products(range(first, first + 100)))
        told = lost = 0
        while told + lost < count:
            name, data, _ = slow.hear()
            if name == "event":
                assert data["position"] == told + lost + 1, (data, told, lost)
                told += 1
            else:
                assert name == "skipped" and data["why"] == "slow" and data["from"] == told + lost + 1, (name, data)
                lost += data["count"]
        assert told and lost and told + lost == count, (told, lost)


@story
def the_1001st_listener_is_refused_and_a_place_that_is_left_is_free():
    with Shop() as shop:
        shop.start()
        listeners = [Listener(shop, f"?store=S{i % 10}", source=(f"127.0.0.{2 + i % 4}", 0)) for i in range(1000)]
        assert all(listener.status == 200 for listener in listeners)
        refused = Listener(shop)
        assert refused.status == 503 and "Retry-After: 1" in refused.head, refused.head
        assert "all 1000 places" in refused.problem["detail"], refused.problem
        send(shop, [7], "S7")
        for i in range(7, 1000, 10):
            listeners[i].hears(["P7"])
        listeners[0].close()
        end = time.monotonic() + WAIT_S
        while (again := Listener(shop)).status != 200:
            assert time.monotonic() < end
        send(shop, [8], "S1")
        again.hears(["P8"])
        listeners[11].hears(["P8"])


@story
def a_revoked_token_ends_its_streams_and_a_ticket_opens_one():
    with Shop() as shop:
        shop.start()
        made = shop.run("token", "new", "read", "--name", "screen")
        listener = Listener(shop, token=made["token"])
        status, body, _ = shop.call("POST", "/v1/stream/tickets", auth=f"Bearer {made['token']}")
        ticket = json.loads(body)["ticket"]
        assert status == 201 and ticket.startswith("souk_st_"), body
        page = Listener(shop, f"?ticket={ticket}", token="")
        assert Listener(shop, f"?ticket={ticket}", token="").status == 401
        assert shop.call("POST", "/v1/stream/tickets", auth=shop.basic())[0] == 401
        send(shop, [1])
        listener.hears(["P1"])
        page.hears(["P1"])
        shop.run("token", "revoke", made["id"])
        listener.ends("revoked")
        page.ends("revoked")
        assert Listener(shop, token=made["token"]).status == 401


@story
def a_shopper_s_stream_has_her_texts_and_ends_when_she_is_erased():
    with Shop() as shop:
        shop.start()
        send(shop, [1], user="anna")
        assert Listener(shop, "?shopper=user:bert").status == 404
        anna = Listener(shop, "?shopper=user:anna&from=1")
        name, data, _ = anna.hear()
        assert name == "event" and data["event"]["messageId"] == "m1" and data["event"]["userId"] == "anna", data
        everybody = Listener(shop)
        send(shop, [2], user="bert")
        send(shop, [3], user="anna")
        anna.hears(["P3"])
        for wanted in "P2", "P3":
            _, data, _ = everybody.hear()
            assert data["products"][0]["product"] == wanted and "anna" not in json.dumps(data) and "event" not in data, data
        shop.run("erase", "user", "anna")
        anna.ends("nobody has this identifier")
        assert Listener(shop, "?shopper=user:anna").status == 404


@story
def a_server_that_stops_says_good_bye_to_who_listens():
    with Shop() as shop:
        shop.start()
        listeners = [Listener(shop) for _ in range(20)]
        idle = Listener(shop, "?store=nowhere")
        tail = subprocess.Popen([SOUK, "tail", "--data", shop.data, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(tail.stdout), daemon=True)
        reader.start()
        end = time.monotonic() + WAIT_S
        while "\nsouk_stream_listeners 22\n" not in shop.call("GET", "/metrics")[1].decode():
            assert time.monotonic() < end
        send(shop, [1, 2])
        started = time.monotonic()
        assert shop.stop() == 0
        assert time.monotonic() - started < 20, "the drain waited for its end"
        for listener in listeners:
            listener.hears(["P1", "P2"]).ends("the server stops")
        idle.ends("the server stops")
        assert tail.wait(WAIT_S) == 0
        reader.join(WAIT_S)
        told = [json.loads(line) for line in lines]
        assert [line["products"][0]["product"] for line in told[:2]] == ["P1", "P2"] and "end" in told[2], told


@story
def tail_prints_a_line_for_each_event_and_says_what_is_wrong():
    with Shop() as shop:
        words = shop.run("tail", fails=1)
        assert "no server runs" in words, words
        shop.start()
        assert "nobody has this user" in shop.run("tail", "--shopper", "user:nobody", fails=1)
        assert "rate is a number" in shop.run("tail", "--rate", "many", fails=2)
        coloured = event("u1", "m1", "Product Viewed", product_id="P1\x1b[31m", store_id="S1")
        assert shop.send("/v1/batch", {"batch": [coloured]})[0] == 200
        send(shop, [2, 3], "S2", "Cart Viewed")
        tail = subprocess.Popen([SOUK, "tail", "--data", shop.data, "--from", "1", "--type", "Cart Viewed", "--type",
                                 "Product Viewed"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines = [tail.stdout.readline() for _ in range(3)]
        tail.send_signal(signal.SIGINT)
        assert tail.wait(WAIT_S) == 0, tail.stderr.read()
        assert "Product Viewed" in lines[0] and "P1" in lines[0] and "\x1b" not in lines[0], lines
        assert "Cart Viewed" in lines[1] and "S2" in lines[1] and lines[2].rstrip().endswith("P3"), lines
