"""The server under a supervisor: what it tells, the sockets it is handed, signs of life, SIGHUP."""
import json, os, pty, shutil, signal, socket, subprocess, tempfile, time

from lib import SOUK, Shop, event, story, on_file
from load import WAIT_S
from story_faults import FaultyShop, until


class Supervisor:
    """A notify socket; what() waits for the next message that has such a line."""

    def __init__(self, abstract=False):
        self.folder = tempfile.mkdtemp(prefix="souk-wire-notify-")
        self.name = f"@souk-wire-{os.getpid()}-{id(self)}" if abstract else os.path.join(self.folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)
        self.socket.settimeout(WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        shutil.rmtree(self.folder)

    def next(self):
        """The lines of the next message by their names."""
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().split("\n"))

    def what(self, name):
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:  # signs of life may come for ever
            message = self.next()
            if name in message:
                return message
        raise AssertionError(f"no message with {name}")

    def forget(self):
        """What has arrived so far; the messages."""
        had = []
        self.socket.setblocking(False)
        try:
            while True:
                had.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            self.socket.settimeout(WAIT_S)
            return had

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.name, **more}


def environment_of(process):
    with open(f"/proc/{process.pid}/environ", "rb") as file:
        return file.read()


# ---- how the server is --------------------------------------------------------------------------------------


@story
def a_supervisor_hears_of_the_start_and_of_the_end():
    for abstract in (False, True):
        with Shop() as shop, Supervisor(abstract) as supervisor:
            shop.start(supervisor.environment(), wait=False)
            message = supervisor.next()
            assert message["READY"] == "1", message
            assert shop.listening(), "READY came before the line that says where it listens"
            assert message["STATUS"] == "serving at %s:%d" % shop.address, message
            assert shop.call("GET", "/readyz")[0] == 200
            shop.process.send_signal(signal.SIGTERM)
            message = supervisor.next()
            assert message["STOPPING"] == "1" and int(message["EXTEND_TIMEOUT_USEC"]) >= 10_000_000, message
            assert shop.ended() == 0 and not supervisor.forget()


@story
def a_supervisor_hears_how_far_the_log_is_read_and_grants_more_time():
    with Shop() as shop, Supervisor() as supervisor:
        shop.start()
        assert shop.send("/v1/batch", {"batch": [event(f"u{i}", f"m{i}") for i in range(500)]})[0] == 200
        shop.stop(signal.SIGKILL)
        shop.start(supervisor.environment())
        message = supervisor.next()
        assert message["STATUS"].startswith("reading the log: ") and int(message["EXTEND_TIMEOUT_USEC"]) > 0, message
        assert "READY" not in message and supervisor.what("READY")


@story
@on_file
def a_supervisor_hears_of_a_full_disk_and_of_room_again():
    with FaultyShop() as shop, Supervisor() as supervisor:
        shop.start_on_faulty_disk(supervisor.environment())
        supervisor.what("READY")
        shop.order("full")
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 503
        assert supervisor.next() == {"STATUS": "the disk is full: reading only"}
        shop.order("")
        assert supervisor.next() == {"STATUS": "serving at %s:%d" % shop.address}


@story
def a_supervisor_that_is_gone_or_misnamed_is_told_of_once_and_stops_nothing():
    with Shop() as shop:
        for name, words in [("/none/notify", "cannot be told"), ("vsock:2:1234", "NOTIFY_SOCKET is 'vsock:2:1234'")]:
            shop.start({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"})
            assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
            assert shop.stop() == 0
            told = [line for line in shop.stderr().splitlines() if words in line]
            assert len(told) == 1 and json.loads(told[0])["level"] == "warn", shop.stderr()


# ---- signs of life ------------------------------------------------------------------------------------------


@story
@on_file
def signs_of_life_go_on_while_the_server_works_and_while_it_rests():
    with Shop() as shop, Supervisor() as supervisor:
        shop.start(supervisor.environment(WATCHDOG_USEC="100000"))
        supervisor.what("READY")
        for i in range(20):
            assert supervisor.next() == {"WATCHDOG": "1"}
            if i % 2:
                assert shop.send("/v1/batch", {"batch": [event("u1", f"m{i}-{j}") for j in range(100)]})[0] == 200
        shop.process.send_signal(signal.SIGTERM)
        supervisor.what("STOPPING")
        assert shop.ended() == 0 and not supervisor.forget(), "signs of life after the end had begun"


@story
def a_watchdog_for_another_process_gets_no_signs_of_life():
    with Shop() as shop, Supervisor() as supervisor:
        shop.start(supervisor.environment(WATCHDOG_USEC="20000", WATCHDOG_PID="1"))
        supervisor.what("READY")
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
        assert shop.stop() == 0
        assert all("WATCHDOG" not in message for message in supervisor.forget())


@story
@on_file
def a_writer_that_hangs_in_a_sync_ends_the_signs_of_life_till_it_goes_on():
    with FaultyShop() as shop, Supervisor() as supervisor:
        shop.start_on_faulty_disk(supervisor.environment(WATCHDOG_USEC="100000"))
        supervisor.what("WATCHDOG")
        shop.order("stall ledger")
        with socket.create_connection(shop.address, 20) as sender:  # its answer waits for the sync
            body = json.dumps({"batch": [event("u1", "m1")]}).encode()
            sender.sendall(f"POST /v1/batch HTTP/1.1\r\nHost: souk\r\nAuthorization: {shop.basic()}\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            message = supervisor.what("STATUS")
            assert message == {"STATUS": "the writer does not answer: no sign of life is given"}, message
            assert shop.call("GET", "/healthz")[0] == 200  # which alone would have been taken for life
            supervisor.forget()
            until(lambda: "stall" in "".join(shop.log()), "the sync stands")
            time.sleep(0.3)  # three times the watchdog's patience
            assert not supervisor.forget(), "a sign of life although the writer hangs"
            shop.order("")
            assert supervisor.next() == {"STATUS": "serving at %s:%d" % shop.address}
            assert supervisor.next() == {"WATCHDOG": "1"}
            assert sender.recv(65536).startswith(b"HTTP/1.1 200 ")
        for words in ["a part of the server does not answer", '"part":"the writer"', "answer again"]:
            assert words in shop.stderr(), (words, shop.stderr())
        assert shop.events() == 1 and shop.stop() == 0


# ---- sockets that were opened before ------------------------------------------------------------------------


def handed_over(shop, *listeners, names=None, pid=None, **environment):
    """The server started with these as its descriptors 3, 4, …"""
    script = "import os, sys\nn = int(sys.argv[1])\n" \
             "for i in range(n): os.dup2(int(sys.argv[2 + i]), 100 + i)\n" \
             "for i in range(n): os.dup2(100 + i, 3 + i); os.close(100 + i)\n" \
             "os.environ['LISTEN_PID'] = os.environ.get('LISTEN_PID') or str(os.getpid())\n" \
             "os.execv(sys.argv[2 + n], sys.argv[2 + n:])"
    fds = [str(listener.fileno()) for listener in listeners]
    said = {**shop.environment, **environment, "LISTEN_FDS": str(len(fds))}
    said.update({"LISTEN_FDNAMES": names} if names else {}, **({"LISTEN_PID": pid} if pid else {}))
    with open(shop.stderr_path, "w") as stderr:
        shop.process = subprocess.Popen(["python3", "-c", script, str(len(fds)), *fds, SOUK, "serve", "--data", shop.data,
                                         "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=stderr,
                                        text=True, env=said, pass_fds=[listener.fileno() for listener in listeners])


@story
def sockets_that_are_handed_over_serve_in_place_of_the_setting():
    with Shop() as shop:
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ports = [listener.getsockname()[1] for listener in listeners]
        early = socket.create_connection(("127.0.0.1", ports[1]), 20)  # before there is a server
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: souk\r\n\r\n")
        handed_over(shop, *listeners, names="door:")
        assert shop.listening() and shop.address[1] == ports[0], shop.address
        assert early.recv(65536).startswith(b"HTTP/1.1 200 ")
        for port in ports:
            shop.address = ("127.0.0.1", port)
            assert shop.call("GET", "/readyz")[0] == 200
        early.close()
        told = [json.loads(line) for line in shop.stderr().splitlines() if "handed over" in line]
        assert [(line["address"], line["name"]) for line in told] == [(f"127.0.0.1:{ports[0]}", "door"), (f"127.0.0.1:{ports[1]}", "")]
        assert shop.stop() == 0
        # the supervisor's own descriptor is open still: who comes now waits for the next server
        with socket.create_connection(("127.0.0.1", ports[0]), 20) as waiting:
            waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: souk\r\n\r\n")
            handed_over(shop, listeners[0])
            assert shop.listening() and waiting.recv(65536).startswith(b"HTTP/1.1 200 ")
        for listener in listeners:
            listener.close()


@story
def sockets_for_another_process_are_left_alone():
    with Shop() as shop, socket.create_server(("127.0.0.1", 0)) as listener:
        handed_over(shop, listener, pid="1")
        assert shop.listening() and shop.address[1] != listener.getsockname()[1]
        assert "handed over" not in shop.stderr()


@story
def what_cannot_be_served_at_is_refused_with_what_to_do():
    with Shop() as shop:
        path = os.path.join(os.path.dirname(shop.data), "door")
        bound, datagrams = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(path)
        unix.listen()
        os.chmod(path, 0o666)
        nameless = socket.socket(socket.AF_UNIX)
        nameless.bind(f"\0souk-wire-{os.getpid()}-{id(shop)}")
        nameless.listen()
        for listener, words in [(bound, "does not listen"), (datagrams, "of another type"), (unix, "SocketMode=0600"),
                                (nameless, "taken for the operator")]:
            handed_over(shop, listener)
            assert not shop.process.stdout.readline() and shop.ended() in (1, 2), words
            assert words in shop.stderr(), (words, shop.stderr())
        os.chmod(path, 0o600)
        handed_over(shop, unix)
        assert json.loads(shop.process.stdout.readline())["listening"] == path
        assert shop.stop() == 0
        for one in (bound, datagrams, unix, nameless):
            one.close()


@story
def systemd_s_own_tool_hands_a_socket_over():
    if not shutil.which("systemd-socket-activate"):
        print("skipped: no systemd-socket-activate (Debian package systemd)")
        return "skipped"
    with Shop() as shop, Supervisor() as supervisor:
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            address = "127.0.0.1:%d" % chosen.getsockname()[1]
        passed = [f"--setenv={name}={value}" for name, value in {**supervisor.environment(ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "")), **shop.of_ledger}.items()]
        with open(shop.stderr_path, "w") as stderr:
            shop.process = subprocess.Popen(["systemd-socket-activate", "-l", address, "--fdname=web", *passed, SOUK, "serve",
                                             "--data", shop.data, "--json"], stdout=subprocess.PIPE, stderr=stderr, text=True)
        until(lambda: "Listening on" in shop.stderr(), "it listens")
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20) as first:  # which starts the server
            first.sendall(b"GET /readyz HTTP/1.1\r\nHost: souk\r\n\r\n")
            assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert supervisor.what("READY")["STATUS"] == f"serving at {address}"
        assert shop.listening() and '"name":"web"' in shop.stderr(), shop.stderr()
        assert shop.stop() == 0


# ---- SIGHUP ---------------------------------------------------------------------------------------------------


@story
def a_hangup_reads_the_settings_again_and_takes_what_may_change():
    with Shop() as shop, Supervisor() as supervisor:
        path = os.path.join(shop.data, "souk.toml")

        def write(*lines):
            with open(path, "w") as file:
                file.write("\n".join(lines) + "\n")

        def hang_up():
            shop.process.send_signal(signal.SIGHUP)
            message = supervisor.what("RELOADING")
            assert abs(int(message["MONOTONIC_USEC"]) - time.monotonic_ns() // 1000) < WAIT_S * 10**6, message
            assert supervisor.next()["READY"] == "1"

        write("drain_s = 3600", "[log]", "level = 'warn'")
        shop.start(supervisor.environment())
        supervisor.what("READY")
        hang_up()
        assert shop.stderr() == "", shop.stderr()
        write("drain_s = 1", "loops = 2", "[log]", "level = 'info'", "[limits]", "body_ms = 60000")
        hang_up()
        lines = {(line.get("setting"), line["words"]) for line in map(json.loads, shop.stderr().splitlines())}
        for name in ("drain_s", "log.level"):
            assert (name, "a setting has changed") in lines, lines
        for name in ("loops", "limits.body_ms"):
            assert (name, "a setting that has changed holds from the next start on") in lines, lines
        assert (None, "the settings were read again") in lines, lines
        write("drain_s = 0")
        hang_up()
        assert "the settings are wrong: those that held still hold" in shop.stderr() and "souk.toml:1:11" in shop.stderr()
        with socket.create_connection(shop.address, 20) as slow:
            slow.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: souk\r\nContent-Length: 9\r\n\r\n{")
            assert shop.call("GET", "/healthz")[0] == 200
            assert shop.stop() == 0  # after a second, not after an hour


@story
def a_terminal_that_closes_takes_its_server_with_it():
    with Shop() as shop:
        master, slave = pty.openpty()
        with open(shop.stderr_path, "w") as stderr:
            shop.process = subprocess.Popen([SOUK, "serve", "--data", shop.data, "--listen", "127.0.0.1:0", "--json"],
                                            stdin=slave, stdout=subprocess.PIPE, stderr=stderr, text=True, env=shop.environment)
        assert shop.listening() and shop.stop(signal.SIGHUP) == 0
        os.close(master)
        os.close(slave)
