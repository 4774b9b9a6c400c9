"""What clients may not do: unknown ones, forging ones, ambiguous ones, slow ones; and how they are let go."""
import base64, gzip, json, os, signal, socket, subprocess, time

from lib import event, Shop, SOUK, story
from load import WAIT_S, Load, is_there_once


@story
def nothing_is_open_without_its_key_or_token():
    shop = Shop().start()
    try:
        for method, path in [("GET", "/v1/stats"), ("GET", "/v1/shoppers/user/u1"), ("GET", "/metrics"), ("GET", "/v1/rejects"),
                             ("POST", "/v1/shoppers/erase"), ("POST", "/v1/batch"), ("POST", "/v1/track")]:
            for auth in ["Bearer souk_at_" + "0" * 64, "Basic AAAA", "Bearer " + shop.key]:
                status = shop.call(method, path, b'{"batch":[],"event":"x","userId":"u"}', auth=auth)[0]
                assert status == 401, (method, path, auth, status)
        assert shop.call("POST", "/v1/verify", auth="Bearer " + shop.token)[0] == 404  # only over the control socket
        assert shop.call("GET", "/healthz", auth="x")[0] == 200 and shop.call("GET", "/readyz", auth="x")[0] == 200
        assert b"souk_events_total" in shop.call("GET", "/metrics")[1]
    finally:
        shop.done()


@story
def requests_that_two_readers_could_read_differently_are_refused():
    shop = Shop().start()
    try:
        smuggled = b"GET /v1/stats HTTP/1.1\r\nHost: b\r\n\r\n"
        head = b"POST /v1/batch HTTP/1.1\r\nHost: a\r\n"
        n = str(len(smuggled)).encode()
        cases = [head + b"Content-Length: " + n + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
                 head + b"Content-Length: 0\r\nContent-Length: " + n + b"\r\n\r\n" + smuggled,
                 head + b"X: a\nContent-Length: " + n + b"\r\n\r\n" + smuggled,
                 head + b" Content-Length: " + n + b"\r\n\r\n" + smuggled,
                 head + b"Content-Length : 0\r\n\r\n" + smuggled,
                 head + b"Transfer-Encoding: xchunked\r\n\r\n" + smuggled,
                 head + b"X: a\0b\r\n\r\n" + smuggled,
                 head + b"Content-Length: +5\r\n\r\n" + smuggled,
                 b"POST /v1/batch HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled,
                 b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"]
        for case in cases:
            got = shop.raw(case)
            assert got.count(b"HTTP/1.1 ") == 1 and got.split(b" ")[1][:1] in b"45", (case, got)
        bomb = gzip.compress(b"[" * (64 << 20))
        assert shop.send("/v1/batch", bomb)[0] == 413
        assert shop.send("/v1/batch", b"[" * 100)[0] in (400, 413)
        assert shop.send("/v1/batch", b'{"batch":["\xff"]}')[0] == 400
        assert shop.call("GET", "/healthz", auth="x")[0] == 200
    finally:
        shop.done()


# ---- who may ask ------------------------------------------------------------------------------------------


READ_PATHS = ["/v1/shoppers/user/{}", "/v1/shoppers/user/{}/profile", "/v1/shoppers/user/{}/timeline", "/v1/shoppers/email/{}",
              "/v1/shoppers/public/{}"]


def without_date(answer):
    status, body, head = answer
    return status, body, [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]


def forgeries(shop, other):
    """Authorizations and query strings that are almost right."""
    token, key = shop.token, shop.key
    last = "0" if token[-1] != "0" else "1"
    bearers = [token[:-1], token + "0", token[:-1] + last, token.upper(), token[::-1], key, key[:-1], other.token, other.key,
               "", "souk_at_", "souk_at_" + "0" * 64, "souk_at_" + "\xff" * 64, token.replace("souk_at_", "souk_wk_"), "*", "null"]
    schemes = ["Bearer" + token, "Basic " + token, token, "Token " + token, "Digest " + token, shop.basic(token), shop.basic(),
               "Basic " + base64.b64encode((":" + token).encode()).decode(), other.basic()]
    for auth in ["Bearer " + b for b in bearers] + schemes + [""]:
        yield auth, ""
    for name in ["token", "access_token", "authorization", "Authorization", "bearer", "api_key", "writeKey", "admin_token"]:
        yield "", f"?{name}={token}"
        yield "", f"?{name}=Bearer%20{token}"


@story
def forged_tokens_are_refused_without_telling_whether_an_id_exists():
    with Shop() as shop, Shop() as other:
        shop.start()
        shop.send("/v1/identify", {"userId": "u1", "traits": {"email": "a@example.com"}, "messageId": "m1"})
        public = shop.get("/v1/shoppers/user/u1")[1]["shopper"]
        there = {"email": "a@example.com", "public": public}
        missing = {"email": "b@example.com", "public": "0" * 32}
        for auth, query in forgeries(shop, other):
            for path in READ_PATHS:
                kind = path.split("/")[3]
                answers = [without_date(shop.call("GET", path.format(value) + query, auth=auth))
                           for value in (there.get(kind, "u1"), missing.get(kind, "u2"))]
                assert answers[0][0] == 401, (auth, path, query, answers)
                assert answers[0] == answers[1], (auth, path, query, answers)
        assert shop.get("/v1/shoppers/user/u1")[0] == 200 and shop.get("/v1/shoppers/user/u2")[0] == 404


@story
def forged_tokens_change_nothing():
    with Shop() as shop, Shop() as other:
        shop.start()
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2"), 7]})
        u1, u2 = ({"kind": "user", "value": v} for v in ("u1", "u2"))
        nobody = {"kind": "user", "value": "nobody"}
        calls = []
        for a in (u1, nobody):
            calls += [("POST", "/v1/shoppers/erase", {"a": a}), ("POST", "/v1/shoppers/merge", {"a": a, "b": u2}),
                      ("POST", "/v1/shoppers/unmerge", {"a": a}),
                      ("POST", "/v1/shoppers/consent", {"a": a, "purpose": "advertise", "basis": "consent", "evidence": "x"})]
        calls += [("GET", "/v1/stats", b""), ("GET", "/metrics", b""), ("GET", "/v1/rejects", b""), ("DELETE", "/v1/rejects/1", b""),
                  ("DELETE", "/v1/rejects/99", b""), ("POST", "/v1/rejects/1/replay", event("u3", "m3")),
                  ("POST", "/v1/rejects/99/replay", event("u3", "m3"))]
        for auth, query in forgeries(shop, other):
            told = {}
            for method, path, body in calls:
                answer = shop.call(method, path + query, body, auth=auth)
                assert answer[0] == 401, (auth, query, path, answer)
                told.setdefault(path.replace("99", "1"), set()).add(answer[1])
            assert all(len(words) == 1 for words in told.values()), told
        for path in ["/v1/verify", "/v1/backup", "/v1/restore"]:  # only over the control socket, whoever asks
            assert shop.call("POST", path)[0] == 404 == shop.call("POST", path, auth="Bearer x")[0], path
        stats = shop.get("/v1/stats")[1]
        assert (stats["events"], stats["shoppers"], shop.get("/v1/rejects")[1]["count"]) == (2, 2, 1), stats
        assert shop.get("/v1/shoppers/user/u1/profile?purpose=advertise")[0] == 403


@story
def only_a_write_key_of_this_shop_writes_wherever_it_stands():
    with Shop() as shop, Shop() as other:
        shop.start()
        basics = [other.basic(), shop.basic(shop.token), shop.basic(shop.key[:-1]), shop.basic("x" + shop.key), shop.basic(shop.key.upper()),
                  "Basic " + base64.b64encode((":" + shop.key).encode()).decode(), "Basic !!!!", "Bearer " + shop.token, ""]
        for auth in basics:
            assert shop.call("POST", "/v1/batch", {"batch": [event("u1", "m1")]}, auth=auth)[0] == 401, auth
        for key in [other.key, shop.token, "", 7, None, [shop.key]]:
            assert shop.call("POST", "/v1/batch", {"batch": [event("u1", "m1")], "writeKey": key}, auth="")[0] == 401, key
        for key in [other.key, shop.token, ""]:
            assert shop.call("POST", f"/v1/batch?writeKey={key}", {"batch": [event("u1", "m1")]}, auth="")[0] == 401, key
        # the first that is told counts: a wrong one in front is not helped by a right one behind
        assert shop.call("POST", f"/v1/batch?writeKey={shop.key}", {"batch": [event("u1", "m1")]}, auth=other.basic())[0] == 401
        assert shop.events() == 0
        assert shop.call("POST", "/v1/batch", {"batch": [event("u1", "m1")], "writeKey": shop.key}, auth="")[0] == 200
        assert shop.call("POST", f"/v1/batch?writeKey={shop.key}", {"batch": [event("u1", "m2")]}, auth="")[0] == 200
        assert shop.events() == 2


# ---- slow ones ----------------------------------------------------------------------------------------------


HEAD = b"POST /v1/batch HTTP/1.1\r\nHost: souk\r\n"
SLOW = {"head": HEAD + b"X-Slow: ", "body": HEAD + b"Content-Length: 100000\r\n\r\n{"}


class Slow:
    """A connection that sends a byte a second until the server has had enough."""

    def __init__(self, address, start):
        self.socket = socket.create_connection(address)
        self.socket.sendall(start)
        self.socket.setblocking(False)
        self.got, self.open = b"", True

    def drip(self):
        try:
            self.socket.send(b"x")
        except OSError:
            pass  # closed meanwhile: the answer is read below

    def read(self):
        try:
            more = self.socket.recv(65536)
        except BlockingIOError:
            return
        except ConnectionResetError:
            more = b""
        self.got += more
        self.open = more != b""


@story
def two_hundred_slow_clients_hold_nobody_up_and_are_closed_with_408():
    with Shop() as shop:
        shop.start()
        slow = [Slow(shop.address, SLOW["head" if i % 2 else "body"]) for i in range(200)]
        served, ticks, end = 0, 0, time.monotonic() + WAIT_S
        next_drip = time.monotonic() + 1
        while any(s.open for s in slow):
            assert time.monotonic() < end, "a slow client is never closed"
            if time.monotonic() >= next_drip:
                next_drip, ticks = next_drip + 1, ticks + 1
                for s in slow:
                    if s.open:
                        s.drip()
            assert shop.send("/v1/track", {"event": "X", "userId": "fast", "messageId": f"f{served}"})[0] == 200
            served += 1
            for s in slow:
                if s.open:
                    s.read()
        assert ticks >= 1 and served > 20, (ticks, served)
        for s in slow:
            assert s.got.startswith(b"HTTP/1.1 408 ") and b"\r\nConnection: close" in s.got, s.got
            s.socket.close()
        assert shop.events() == served


# ---- letting go -----------------------------------------------------------------------------------------------


@story
def a_server_told_to_stop_under_load_answers_what_it_took_and_loses_nothing():
    with Shop() as shop:
        acknowledged, unknown = [], []
        for _ in range(3):
            shop.start()
            with Load(shop, clients=8) as load:
                load.wait(acknowledged=2000)
                assert shop.stop() == 0, shop.stderr()
                load.joined()
            assert set(load.answers) <= {0, 200, 503}, load.answers
            acknowledged += load.acknowledged
            unknown += load.unknown + load.refused
        shop.start()
        is_there_once(shop, acknowledged, unknown)
        shop.stop()
        shop.run("verify")


@story
def a_request_under_way_is_still_answered_while_new_ones_are_refused():
    with Shop() as shop:
        shop.start()
        body = json.dumps({"batch": [event("u1", "m1")], "writeKey": shop.key}).encode()
        with socket.create_connection(shop.address) as half, socket.create_connection(shop.address) as idle:
            half.settimeout(WAIT_S)
            idle.settimeout(WAIT_S)
            half.sendall(HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
            assert half.recv(100).startswith(b"HTTP/1.1 100 ")  # the server has the head
            shop.process.send_signal(signal.SIGTERM)
            assert idle.recv(1) == b""  # it drains
            half.sendall(body)
            answer = b""
            while more := half.recv(65536):
                answer += more
            assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close" in answer, answer
        assert shop.ended() == 0
        shop.start()
        assert shop.events() == 1


@story
def the_lines_that_a_server_prints_work_as_they_stand():
    shop = Shop()
    for address in ["127.0.0.1:0", os.path.join(os.path.dirname(shop.data), "socket")]:
        server = subprocess.Popen([SOUK, "serve", "--data", shop.data, "--listen", address], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, env=shop.environment)
        try:
            lines = [server.stdout.readline().strip() for _ in range(5)]
            before = shop.run("stats")["events"]
            sent = subprocess.run(lines[2], shell=True, capture_output=True, text=True)
            assert sent.stdout == '{"success":true}', (lines, sent)
            counted = subprocess.run(lines[4] + " --json", shell=True, capture_output=True, text=True, env=shop.environment)
            assert counted.returncode == 0 and json.loads(counted.stdout)["events"] == before + 1, (lines, counted)
        finally:
            server.terminate()
            assert server.wait(30) == 0
            server.stdout.close()
    shop.process = None
    shop.done()
