"""What clients may not do: unknown ones, ambiguous ones."""
import gzip

from lib import Shop, story


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
