"""proxy.py - a bad network between a client and a server: refuses, delays, cuts, and counts what it did.

    with Proxy(shop.address, seed=7) as proxy:           most requests pass, some meet a fault
        proxy.marks, proxy.at_mark = [250, 500], restart  restart(kill) after so many events were seen
        … the client sends to proxy.url …
        proxy.counts                                      {"pass": 61, "429": 4, "cut after": 5, …}

Faults meet only what carries events; settings and preflights pass, while there is a server.  Answers of the proxy's own
have the CORS fields of the server's, since without them a browser hides their status from the client."""
import gzip, http.client, json, random, re, socket, struct, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Of 1,000 requests; the rest pass.  "cut before": the server never sees it.  "cut after": the server has stored it and
# the client is not told.  "slow": the answer comes late.
FAULTS = {"429": 25, "500": 25, "503": 15, "slow": 30, "cut before": 20, "cut after": 30}
SLOW_S = 0.3
MESSAGE_ID = re.compile(rb'"messageId":"([^"]+)"')
ELSEWHERE = "/elsewhere"  # where a 302 points: a page that answers 200 to anything, as a shop's home page does
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def numbers_in(body):
    """Whose events a body carries."""
    said = json.loads(body)
    for event in said.get("batch", [said]):
        traits = event.get("traits") or event.get("context", {}).get("traits") or {}
        yield (traits if event["type"] == "identify" else event["properties"])["n"]


class Proxy:
    def __init__(self, address, seed=1, faults=FAULTS):
        self.address, self.faults = address, faults
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.counts, self.seen, self.times = {}, set(), {}
        self.marks, self.at_mark = [], None
        self.first_answers = {}  # n: the status that its first request is answered with
        self.swallow = self.double = None  # n: its request is thrown away with a 200, or stored as two
        self.hides_cors = False
        self.there, self.clients = threading.Event(), threading.local()
        self.there.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"proxy": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def injected(self):
        return sum(count for what, count in self.counts.items() if what != "pass")

    def draw(self):
        """The next fault of the plan, or "pass"."""
        with self.lock:
            drawn = self.random.randrange(1000)
        for fault, share in self.faults.items():
            if drawn < share:
                return fault
            drawn -= share
        return "pass"

    def note(self, body):
        """Notes whose events these are; whether a mark was passed, the status to answer with, and which error is planted."""
        numbers = list(numbers_in(body)) if self.first_answers or (self.swallow, self.double) != (None, None) else []
        with self.lock:
            self.seen.update(MESSAGE_ID.findall(body))
            mark = bool(self.marks) and len(self.seen) >= self.marks[0] and self.there.is_set()
            if mark:
                self.marks.pop(0)
                self.there.clear()
            for n in numbers:
                self.times[n] = self.times.get(n, 0) + 1
            first = [self.first_answers[n] for n in numbers if n in self.first_answers and self.times[n] == 1]
            return mark, (first or [None])[0], self.swallow in numbers, self.double in numbers

    def restart(self):
        """In a thread of its own, while a request is on its way in the server."""
        time.sleep(self.random.random() * 0.004)
        self.address = self.at_mark()
        self.there.set()

    def upstream(self):
        """This thread's connection to the server that runs now."""
        kept = getattr(self.clients, "kept", None)
        if not kept or kept[0] != self.address:
            kept = self.clients.kept = (self.address, http.client.HTTPConnection(*self.address, timeout=30))
            kept[1].connect()
            kept[1].sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return kept[1]


class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client went away

    def do_any(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        plain = gzip.decompress(self.body) if self.body[:2] == b"\x1f\x8b" else self.body
        if self.path == ELSEWHERE:
            return self.answer(200)
        if self.command != "POST":
            self.proxy.there.wait(30)
            return self.go("pass", counted=False)
        mark, status, swallowed, doubled = self.proxy.note(plain)
        if doubled:
            body, self.body = self.body, plain.replace(b'"messageId":"', b'"messageId":"again-')
            self.ask(None)
            self.body = body
        if swallowed:
            self.answer(200, b'{"success":true}')
        elif status:
            self.proxy.count(str(status))
            self.answer(status)
        elif mark:
            self.go("kill", self.proxy.restart)
        elif not self.proxy.there.is_set():
            self.while_down()
        else:
            self.go(self.proxy.draw())

    do_POST = do_GET = do_OPTIONS = do_any

    def while_down(self):
        if self.proxy.random.random() < 0.5:
            self.proxy.count("503 while down")
            return self.answer(503)
        self.proxy.count("refused while down")
        self.cut()

    def go(self, fault, meanwhile=None, counted=True):
        if counted:
            self.proxy.count(fault)
        if fault.isdigit():
            return self.answer(int(fault))
        if fault == "cut before":
            return self.cut()
        try:
            answer = self.ask(meanwhile)
        except (OSError, http.client.HTTPException):
            self.proxy.clients.kept = None
            if fault != "kill":
                self.proxy.count("cut by the kill")
            return self.cut()
        if fault == "cut after":
            return self.cut()
        if fault == "slow":
            time.sleep(SLOW_S)
        self.pass_on(*answer)

    def ask(self, meanwhile):
        upstream = self.proxy.upstream()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        upstream.request(self.command, self.path, self.body, {**headers, "Content-Length": str(len(self.body))})
        if meanwhile:
            threading.Thread(target=meanwhile).start()
        answer = upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def pass_on(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP and not (self.proxy.hides_cors and name.lower().startswith("access-control")):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def answer(self, status, body=b"{}"):
        """In the server's stead."""
        headers = [("Content-Type", "application/json")]
        if status in (429, 503):
            headers.append(("Retry-After", "1"))
        if status == 302:
            headers.append(("Location", self.proxy.url + ELSEWHERE))
        if self.headers.get("Origin"):
            headers += [("Access-Control-Allow-Origin", self.headers["Origin"]), ("Access-Control-Allow-Credentials", "true"),
                        ("Access-Control-Expose-Headers", "Retry-After"), ("Vary", "Origin")]
        self.pass_on(status, headers, body)

    def cut(self):
        """Ends the connection without an answer, with a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
