"""lib.py - what wire stories share: a shop of their own, its server, and the words to speak to it.

    @story
    def an_event_is_counted():
        with Shop() as shop:
            shop.start()
            assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
            assert shop.get("/v1/stats")[1]["events"] == 1

A story is ordered by answers, exits and files that appear, not by sleeps.  It may return "skipped"."""
import base64, functools, json, os, shutil, signal, socket, subprocess, sys, tempfile

import postgres

SOUK = os.path.abspath(sys.argv[1])
STORIES = []
ON_POSTGRES = os.environ.get("SOUK_WIRE_LEDGER") == "postgres"


def story(function):
    STORIES.append(function)
    return function


def on_file(function):
    """Of a story about the files of an embedded ledger, which says nothing of one on PostgreSQL."""
    return functools.wraps(function)(lambda: "skipped" if ON_POSTGRES else function())


class Shop:
    def __init__(self):
        self.data = os.path.join(tempfile.mkdtemp(prefix="souk-wire-"), "data")
        self.new_ledger()
        made = self.run("init", "--json")
        self.token, self.key = made["admin_token"], made["write_key"]
        self.process = None
        self.stderr_path = os.path.join(os.path.dirname(self.data), "stderr")

    def new_ledger(self):
        """An empty database for what `data` names, where ledgers are databases."""
        self.of_ledger = {"SOUK_LEDGER_URL": postgres.database()} if ON_POSTGRES else {}
        self.environment = {**os.environ, **self.of_ledger}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done()

    def run(self, *words, fails=None):
        done = subprocess.run([SOUK, words[0], *words[1:], "--data", self.data, *([] if "--json" in words else ["--json"])],
                              capture_output=True, text=True, env=self.environment)
        if fails is not None:
            assert done.returncode == fails, (words, done.returncode, done.stderr)
            return done.stderr
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def begin(self, *words):
        """A command that is not waited for; see `end`."""
        return subprocess.Popen([SOUK, words[0], *words[1:], "--data", self.data, "--json"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment)

    def end(self, command, fails=None):
        """What it printed, and its words."""
        out, words = command.communicate(timeout=120)
        assert command.returncode == (fails or 0), (command.args, command.returncode, words)
        return (json.loads(out) if out else None), words

    def start(self, environment=None, wait=True):
        with open(self.stderr_path, "w") as stderr:
            self.process = subprocess.Popen([SOUK, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--json"],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                            env={**self.environment, **(environment or {})})
        return self.listening() if wait else self

    def listening(self):
        """Waits until the server says where it listens."""
        line = self.process.stdout.readline()
        assert line, ("the server did not start", self.stderr())
        host, port = json.loads(line)["listening"].rsplit(":", 1)
        self.address = (host, int(port))
        return self

    def stderr(self):
        with open(self.stderr_path) as file:
            return file.read()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.ended()

    def ended(self):
        """Waits until the server has ended by itself; its exit code."""
        code = self.process.wait(30)
        self.process.stdout.close()
        return code

    def done(self):
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        if sys.exc_info()[0] and os.path.exists(self.stderr_path):  # the story failed: what did the server say?
            sys.stderr.write(self.stderr())
        shutil.rmtree(os.path.dirname(self.data), ignore_errors=True)

    def raw(self, request, wait=3):
        with socket.create_connection(self.address, wait) as s:
            s.settimeout(wait)
            s.sendall(request)
            got = b""
            try:
                while True:
                    more = s.recv(65536)
                    if not more:
                        break
                    got += more
            except OSError:
                pass
            return got

    def basic(self, key=None):
        return "Basic " + base64.b64encode(((key or self.key) + ":").encode()).decode()

    def call(self, method, path, body=b"", auth=None, headers=()):
        """Status, body and head of the answer.  auth "": no Authorization at all."""
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        auth = "Bearer " + self.token if auth is None else auth
        lines = [f"{method} {path} HTTP/1.1", "Host: souk", "Connection: close", f"Content-Length: {len(body)}",
                 *([f"Authorization: {auth}"] if auth else []), *headers]
        answer = self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body, 20)
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), rest, head

    def send(self, path, body, **more):
        return self.call("POST", path, body, auth=self.basic(), **more)

    def get(self, path):
        status, body, _ = self.call("GET", path)
        return status, json.loads(body)

    def events(self):
        status, stats = self.get("/v1/stats")
        assert status == 200, status
        return stats["events"]


def event(user, message, name="Product Viewed", **properties):
    return {"type": "track", "event": name, "userId": user, "messageId": message, "properties": properties}
