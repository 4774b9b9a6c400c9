"""What becomes of the truth when the disk fails: full, damaged, slow to say so, odd, lying."""
import atexit, base64, json, os, shutil, signal, subprocess, tempfile, threading, time

from lib import event, on_file, Shop, story
from load import WAIT_S, Load, is_there_once, send_again

shim_lock, shim_paths = threading.Lock(), []


def shim():
    """faults.c as a library, built once."""
    with shim_lock:
        if not shim_paths:
            folder = tempfile.mkdtemp(prefix="souk-wire-shim-")
            atexit.register(shutil.rmtree, folder, True)
            path = os.path.join(folder, "faults.so")
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults.c")
            subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", path, source], check=True)
            shim_paths.append(path)
        return shim_paths[0]


class FaultyShop(Shop):
    """A shop whose disk obeys: order("full"), order(""); see faults.c."""

    def __init__(self):
        super().__init__()
        self.control, self.log_path = (os.path.join(os.path.dirname(self.data), name) for name in ("order", "log"))

    def start_on_faulty_disk(self, environment=None):
        asan = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")  # the shim comes before it
        return self.start({"LD_PRELOAD": shim(), "SOUK_FAULTS_FOLDER": self.data, "SOUK_FAULTS_CONTROL": self.control,
                           "SOUK_FAULTS_LOG": self.log_path, "ASAN_OPTIONS": asan, **(environment or {})})

    def order(self, words):
        if not words:
            os.unlink(self.control)
            return
        with open(self.control + ".part", "w") as file:
            file.write(words)
        os.rename(self.control + ".part", self.control)

    def log(self):
        with open(self.log_path) as file:
            return file.read().splitlines()


def until(true, what):
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


# ---- a full disk ------------------------------------------------------------------------------------------


def assert_says_full(answer, *words):
    """What, where, and what to do."""
    status, body, head = answer
    assert status == 503 and b"\r\nRetry-After: " in head and b"application/problem+json" in head, (status, head)
    for word in [b'"EFULL"', b"disk", b"data folder", b"free", b"again", *words]:
        assert word in body, (word, body)


def assert_reads_go_on(shop):
    for path in ["/v1/stats", "/v1/shoppers/user/first", "/v1/shoppers/user/first/profile", "/v1/shoppers/user/first/timeline"]:
        assert shop.get(path)[0] == 200, (path, shop.get(path))
    for path in ["/healthz", "/metrics"]:
        assert shop.call("GET", path)[0] == 200, path
    assert shop.get("/v1/shoppers/user/first/timeline")[1]["events"][0]["event"]["messageId"] == "first"


def fills_and_empties(words):
    """Under load; nothing that was refused is there, all else is, once."""
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        shop.send("/v1/batch", {"batch": [event("first", "first")]})
        assert shop.call("GET", "/readyz")[0] == 200
        with Load(shop, events=200) as load:
            load.wait(acknowledged=1000)
            shop.order(words)
            load.wait(refused=2000)
            assert_says_full(load.answers[503], b"nothing of this request was stored")
            status, body, _ = shop.call("GET", "/readyz")
            assert status == 503 and b"full" in body, (status, body)
            assert_reads_go_on(shop)
            shop.order("")
            until(lambda: shop.call("GET", "/readyz")[0] == 200, "ready again")
            load.wait(acknowledged=2000)
        assert any(line.startswith("ENOSPC") for line in shop.log())
        for words in ["the disk is full", f'"folder":"{shop.data}"', "has room again"]:
            assert words in shop.stderr(), shop.stderr()
        assert not load.unknown, load.answers
        assert shop.events() == len(load.acknowledged) + 1, "a refused batch left something behind"
        send_again(shop, load.refused)
        shop.stop()
        shop.run("verify")
        shop.start()
        is_there_once(shop, ["first"] + load.acknowledged + load.refused)


@story
@on_file
def a_full_disk_refuses_writes_with_503_goes_on_reading_and_recovers():
    fills_and_empties("full")


@story
@on_file
def a_disk_that_cannot_grow_any_more_loses_and_doubles_nothing():
    fills_and_empties("grow")


@story
@on_file
def a_client_that_takes_any_answer_for_a_good_one_hears_none_from_a_full_disk():
    record = base64.b64encode(json.dumps({"type": "track", "event": "Tea Drunk", "distinct_id": "d1", "_track_id": 1, "time": 1767268800000,
                                          "properties": {}}).encode()).decode()
    def send(shop):
        body = ("data=" + record.replace("+", "%2B").replace("=", "%3D")).encode()
        return shop.raw(f"POST /sa/{shop.key} HTTP/1.1\r\nHost: souk\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body, 10)
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        shop.order("full")
        assert send(shop) == b""  # and the connection is closed
        shop.order("")
        until(lambda: shop.call("GET", "/readyz")[0] == 200, "ready again")
        answer = shop.raw(b"GET /healthz HTTP/1.1\r\nHost: souk\r\nConnection: close\r\n\r\n", 10)
        assert answer.startswith(b"HTTP/1.1 200")
        shop.call("POST", f"/sa/{shop.key}", ("data=" + record.replace("=", "%3D")).encode(), auth="")
        assert shop.events() == 1


@story
@on_file
def a_full_disk_becomes_ready_again_without_anybody_writing():
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        shop.order("full")
        assert_says_full(shop.send("/v1/batch", {"batch": [event("u1", "m1")]}))
        assert shop.call("GET", "/readyz")[0] == 503
        shop.order("")
        until(lambda: shop.call("GET", "/readyz")[0] == 200, "ready again")
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
        assert shop.events() == 1


@story
@on_file
def decisions_on_a_full_disk_are_refused_whole_and_can_be_made_afterwards():
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2")]})
        person = {"kind": "user", "value": "u1"}
        decisions = [("consent", {"a": person, "purpose": "advertise", "basis": "consent", "evidence": "form 7", "age": "adult"}),
                     ("merge", {"a": person, "b": {"kind": "user", "value": "u2"}, "by": "me", "reason": "same card"}),
                     ("erase", {"a": person})]
        shop.order("full")
        for what, body in decisions:
            assert_says_full(shop.call("POST", "/v1/shoppers/" + what, body))
        assert shop.get("/v1/shoppers/user/u1/profile?purpose=advertise")[0] == 403
        assert shop.get("/v1/shoppers/user/u1")[1]["identifiers"][0]["value"] == "u1"
        assert shop.get("/v1/stats")[1]["shoppers"] == 2
        shop.order("")
        for what, body in decisions:
            assert shop.call("POST", "/v1/shoppers/" + what, body)[0] == 200, what
        assert shop.get("/v1/shoppers/user/u1")[0] == 404
        shop.stop()
        shop.run("verify")


@story
@on_file
def an_erasure_that_finds_no_room_anywhere_on_its_way_is_finished_by_asking_again():
    """Each write of an erasure in turn is the first that fails; her next event begins a new history."""
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        spared, failures = 0, 0
        while True:
            user, other = f"u{spared}", f"o{spared}"
            erasure = {"a": {"kind": "user", "value": user}}
            assert shop.send("/v1/batch", {"batch": [event(user, user + "-1"), event(other, other + "-1")]})[0] == 200
            shop.order(f"full * {spared}")
            status, body, _ = shop.call("POST", "/v1/shoppers/erase", erasure)
            shop.order("")
            assert status in (200, 503), (spared, status, body)
            failures += status == 503
            # events of both go on, whatever became of the erasure
            batch = [event(other, other + "-2")] + ([event(user, user + "-2")] if status == 503 else [])
            answer = shop.send("/v1/batch", {"batch": batch})
            assert answer[0] == 200, (spared, answer)
            if status == 200:
                break
            asked_again = shop.call("POST", "/v1/shoppers/erase", erasure)
            assert asked_again[0] == 200, (spared, asked_again)  # of the whole history, or of the new one
            assert shop.get(f"/v1/shoppers/user/{user}")[0] == 404, spared
            assert shop.call("POST", "/v1/shoppers/erase", erasure)[0] == 404, spared
            spared += 1
        assert failures > 5, failures
        assert shop.events() == 4 * failures + 3, (shop.events(), failures)
        shop.stop()
        shop.run("verify")


@story
@on_file
def an_erasure_killed_anywhere_on_its_way_is_finished_by_the_next_start():
    with FaultyShop() as shop:
        status, spared, left = 503, 0, []
        while status == 503:
            shop.start()
            shop.send("/v1/batch", {"batch": [event(f"u{spared}", f"{spared}-{i}") for i in range(3)]})
            shop.stop()  # with a snapshot that knows her
            shop.start_on_faulty_disk()
            shop.order(f"full * {spared}")
            status = shop.call("POST", "/v1/shoppers/erase", {"a": {"kind": "user", "value": f"u{spared}"}})[0]
            shop.stop(signal.SIGKILL)
            shop.order("")
            shop.run("verify")
            left.append(shop.run("stats")["shoppers"])
            if left[-1]:  # nothing had begun: she is erased now
                shop.run("erase", "user", f"u{spared}")
            spared += 5
        assert status == 200, status
        begun = left.index(0)
        assert 0 < begun < len(left) - 2 and not any(left[begun:]), left


@story
def a_server_that_stops_on_a_full_disk_says_so_and_loses_nothing():
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        with Load(shop) as load:
            load.wait(acknowledged=1000)
        shop.order("full")
        assert shop.stop() == 1
        assert "full" in shop.stderr(), shop.stderr()
        shop.order("")
        shop.run("verify")
        shop.start()
        is_there_once(shop, load.acknowledged)


# ---- a disk that fails --------------------------------------------------------------------------------------


def fails_and_starts_again(words):
    """Under load; the server ends by itself, and what it acknowledged is there.  The shim's log until then."""
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        with Load(shop) as load:
            load.wait(acknowledged=1000)
            shop.order(words)
            assert shop.ended() == 1
            load.joined()
        assert "disk failed" in shop.stderr() and "restart" in shop.stderr(), shop.stderr()
        log = shop.log()
        shop.order("")
        shop.start()
        is_there_once(shop, load.acknowledged, load.unknown + load.refused)
        shop.stop()
        shop.run("verify")
        return log


@story
@on_file
def a_failed_sync_stops_the_server_and_is_never_tried_again():
    log = fails_and_starts_again("sync")
    failed = [line.removeprefix("EIO ") for line in log if line.startswith("EIO sync")]
    assert "sync ledger-wal" in failed, log
    for sync in set(failed):
        after = log[log.index("EIO " + sync) + 1:]
        assert sync not in after and "EIO " + sync not in after, (sync, after)


@story
@on_file
def a_failed_write_stops_the_server():
    assert any(line.startswith("EIO write ledger-wal") for line in fails_and_starts_again("write"))


@story
def a_failed_sync_of_the_keys_stops_the_server_and_the_erasure_is_finished_by_the_next():
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        shop.send("/v1/batch", {"batch": [event("u1", "m1"), event("u2", "m2")]})
        shop.order("sync keys")
        assert shop.call("POST", "/v1/shoppers/erase", {"a": {"kind": "user", "value": "u1"}})[0] == 500
        assert shop.ended() == 1
        assert "disk failed" in shop.stderr(), shop.stderr()
        shop.order("")
        shop.start()
        assert shop.get("/v1/shoppers/user/u1")[0] == 404
        assert shop.get("/v1/shoppers/user/u2/profile")[0] == 200
        shop.stop()
        shop.run("verify")


@story
def a_disk_that_fails_while_the_server_stops_is_told_and_loses_nothing():
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        with Load(shop) as load:
            load.wait(acknowledged=1000)
        shop.order("sync")
        assert shop.stop() == 1
        assert "disk" in shop.stderr(), shop.stderr()
        shop.order("")
        shop.start()
        is_there_once(shop, load.acknowledged)
        shop.stop()
        shop.run("verify")


# ---- a disk that is odd ---------------------------------------------------------------------------------------


@story
def interrupted_and_short_calls_change_nothing():
    with FaultyShop() as shop:
        shop.order("odd")
        shop.start_on_faulty_disk()
        with Load(shop) as load:
            load.wait(acknowledged=5000)
            answer = shop.call("POST", "/v1/shoppers/erase", {"a": {"kind": "user", "value": load.known_user()}})
            assert answer[0] == 200, answer
        assert not load.refused and not load.unknown, load.answers
        code = shop.stop()
        assert code == 0, ("the server's exit code", code)
        kinds = {" ".join(line.split()[:2]) for line in shop.log()}
        assert {"short write", "EINTR write", "short read", "EINTR read", "EINTR sync", "short send", "EINTR receive"} <= kinds, kinds
        shop.run("verify")
        shop.start_on_faulty_disk()
        is_there_once(shop, load.acknowledged)


@story
@on_file
def a_disk_that_lies_is_noticed_by_these_stories():
    """The planted error: were an acknowledged batch lost, would is_there_once see it?"""
    with FaultyShop() as shop:
        shop.start_on_faulty_disk()
        with Load(shop) as load:
            load.wait(acknowledged=1000)
            shop.order("lie ledger-wal")
            load.wait(acknowledged=1000)
            shop.stop(signal.SIGKILL)
        shop.start()
        try:
            is_there_once(shop, load.acknowledged, load.unknown)
        except AssertionError:
            return
        assert False, "acknowledged events are gone and nobody noticed"


@story
def erasing_shoppers_while_their_events_arrive_refuses_nobody():
    with Shop() as shop:
        shop.start()
        with Load(shop) as load:
            load.wait(acknowledged=1000)
            for turn in range(30):
                answer = shop.call("POST", "/v1/shoppers/erase", {"a": {"kind": "user", "value": f"u{turn % 97}"}})
                assert answer[0] in (200, 404), answer
        assert not load.refused and not load.unknown, load.answers
        assert shop.events() == len(load.acknowledged)
        shop.stop()
        shop.run("verify")
        shop.start()
        is_there_once(shop, load.acknowledged)
