"""A simulated world: the same bytes again, nothing half, and every event of it taken by the server."""
import filecmp, json, os, shutil, signal, subprocess, tempfile, time

from lib import SOUK, Shop, story

FILES = {"README.txt", "events.jsonl", "products.csv", "stores.csv", "truth.json", "truth.jsonl"}


def make(folder, *words):
    done = subprocess.run([SOUK, "world", "--out", folder, "--json", *words], capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if folder != "-" else done.stdout


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="souk-wire-")
        return lambda name: os.path.join(self.path, name)

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


@story
def a_world_is_the_same_bytes_again_and_another_seed_is_another():
    words = ("--shoppers", "2000", "--stores", "3", "--days", "10")
    with Folder() as at:
        made = make(at("a"), *words)
        assert set(os.listdir(at("a"))) == FILES, os.listdir(at("a"))
        assert made["simulated"] and made["bytes"] == os.path.getsize(at("a/events.jsonl")), made
        again = subprocess.run([SOUK, "world", "--out", at("a"), *words, "--seed", "2"], capture_output=True, text=True)
        assert again.returncode == 1 and "holds a file README.txt already" in again.stderr, again
        make(at("b"), *words, "--seed", "2")
        make(at("b"), *words, "--force")
        same, differ, odd = filecmp.cmpfiles(at("a"), at("b"), FILES, shallow=False)
        assert set(same) == FILES, (differ, odd)
        with open(at("a/events.jsonl"), "rb") as file:
            events = file.read()
        assert events.count(b"\n") == made["events"] and make("-", *words) == events
        assert make("-", *words, "--seed", "2") != events
        with open(at("a/README.txt")) as file:
            assert "simulated" in file.read()


@story
def a_world_that_is_interrupted_leaves_nothing_half():
    with Folder() as at:
        command = subprocess.Popen([SOUK, "world", "--shoppers", "100000", "--days", "3000", "--out", at("w")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while not (os.path.exists(at("w/events.jsonl.new")) and os.path.getsize(at("w/events.jsonl.new"))):
            assert command.poll() is None and time.monotonic() < end
        command.send_signal(signal.SIGINT)
        _, words = command.communicate(timeout=60)
        assert command.returncode == 1 and "nothing was kept" in words, (command.returncode, words)
        assert os.listdir(at("w")) == [], os.listdir(at("w"))
        for words in (["--days", "0"], ["--shoppers", "many"], ["--stores", "10000"]):
            assert subprocess.run([SOUK, "world", *words, "--out", at("w")], capture_output=True).returncode == 2


@story
def a_server_takes_every_event_of_a_world_that_names_somebody():
    with Folder() as at, Shop() as shop:
        make(at("w"), "--shoppers", "300", "--days", "20")
        shop.start()
        with open(at("w/events.jsonl")) as file:
            lines = file.read().splitlines()
        named = sum(any(name in line for name in ('"userId"', '"anonymousId"', '"externalIds"')) for line in lines)
        for i in range(0, len(lines), 500):
            status, body, _ = shop.send("/v1/batch", ('{"batch":[' + ",".join(lines[i:i + 500]) + "]}").encode())
            assert status == 200, (status, body)
        status, rejects = shop.get("/v1/rejects")
        stored, rejected = shop.events(), rejects["count"]
        assert stored + rejected == len(lines) and stored >= named, (stored, rejected, named, len(lines))
        assert all("say whose event it is" in reject["fault"] for reject in rejects["rejects"]), rejects["rejects"][:2]
        with open(at("w/truth.jsonl")) as file:
            people = [json.loads(line) for line in file]
        status, stats = shop.get("/v1/stats")
        assert 0 < stats["shoppers"] <= 2 * len(people), stats
