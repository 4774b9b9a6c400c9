"""The clients that retailers already run, unmodified (tests/clients), through a bad network and three kills: what they
did not give up is stored once, as it was sent.

SOUK_CLIENT_EVENTS says how many events each of them sends (1,000; `./dev soak` sends 10,000)."""
import hashlib, json, os, signal, subprocess, sys, threading, time
from decimal import Decimal

from lib import Shop, story
from proxy import FAULTS, Proxy

CLIENTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients")
EVENTS = int(os.environ.get("SOUK_CLIENT_EVENTS", "1000"))
NAMES = {"identify": "Identify", "page": "Page"}


def say(words):
    print("   " + words, file=sys.stderr, flush=True)


# ---- what must be there first ----------------------------------------------------------------------------------


def npm_installs():
    """Whether the clients are there; they are brought by npm when their list has changed."""
    with open(os.path.join(CLIENTS, "package-lock.json"), "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(CLIENTS, "node_modules", ".wanted")
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return True
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=CLIENTS, capture_output=True, text=True, timeout=240)
    except (OSError, subprocess.TimeoutExpired) as error:
        return say(f"skipped: the real clients: npm: {error}")
    if done.returncode:
        return say("skipped: the real clients: npm cannot install them: " + (done.stderr.strip().splitlines() or ["?"])[0])
    with open(stamp, "w") as file:
        file.write(wanted)
    return True


def browser_runs():
    done = subprocess.run(["node", "browser.js"], cwd=CLIENTS, capture_output=True, text=True, timeout=120)
    return done.returncode == 0 or say("skipped: the clients in a browser: " + (done.stderr.strip().splitlines() or ["?"])[0])


class Once:
    """What is asked once, whoever asks first."""

    def __init__(self, ask):
        self.ask, self.lock, self.told = ask, threading.Lock(), []

    def __call__(self):
        with self.lock:
            if not self.told:
                self.told.append(self.ask())
            return self.told[0]


npm_installs, browser_runs = Once(npm_installs), Once(browser_runs)


def told_with(*needs):
    """A story that is skipped where one of its needs is missing."""
    def wrap(function):
        def told():
            return function() if all(need() for need in needs) else "skipped"
        told.__name__ = function.__name__
        return story(told)
    return wrap


# ---- the clients -------------------------------------------------------------------------------------------------


def node(script, *words):
    return subprocess.run(["node", script + ".js", *map(str, words)], cwd=CLIENTS, capture_output=True, text=True, timeout=3600)


def send(script, proxy, shop, count, options=None):
    """Runs the client; what it said of itself."""
    done = node(script, proxy.url, shop.key, count, json.dumps(options or {}))
    assert done.returncode == 0, (script, done.returncode, done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def exact(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def events_of(client, count):
    lines = node("events", client, count).stdout.splitlines()
    assert len(lines) == count
    return {int(event["n"]): event for event in map(exact, lines)}


# ---- what is stored ------------------------------------------------------------------------------------------------


def timeline(shop, user):
    before = ""
    while True:
        status, body, _ = shop.call("GET", f"/v1/shoppers/user/{user}/timeline?limit=1000{before}")
        if status == 404:
            return
        assert status == 200, (status, body)
        page = exact(body)
        yield from page["events"]
        if "next_before" not in page:
            return
        before = f"&before={page['next_before']}"


def said_of(event):
    """What an event says: its properties, or the traits of an identify."""
    if event["type"] != "identify":
        return event["properties"]
    return event.get("traits") or event.get("context", {}).get("traits") or {}


def micro(number):
    return Decimal(str(number))


def check_row(row, sent):
    """A stored row is what was sent: nothing lost of it, and the money exact."""
    event, kind = row["event"], sent["type"]
    assert event["type"] == kind and row["type"] == NAMES.get(kind, sent.get("event")), (row, sent)
    want = sent["traits"] if kind == "identify" else sent["properties"]
    got = said_of(event)
    if kind == "track":
        assert event["event"] == sent["event"] and got == want, (got, want)
    else:  # clients add the page's address, and the traits that they know already
        assert {key: got.get(key) for key in want} == want, (got, want)
    if sent["known"]:
        assert event["userId"] == sent["user"], (event, sent)
    if "order_id" in want and sent["event"] in ("Order Completed", "Order Refunded"):
        sign = -1 if sent["event"] == "Order Refunded" else 1
        assert (micro(row["amount"]), row["currency"]) == (sign * want["revenue"], want["currency"]), (row, want)
        lines = [(line["product"], micro(line["quantity"]), micro(line["amount"])) for line in row["lines"]]
        bought = [(p["product_id"], sign * p["quantity"], sign * p["quantity"] * p["price"]) for p in want["products"]]
        assert lines == bought, (row, want)


class Judgement:
    """Reads every stored row back and holds it against what was sent."""

    def __init__(self, shop, client, count, given_up):
        sent, self.rows, strange = events_of(client, count), {}, []
        for user in sorted({event["user"] for event in sent.values()}):
            for row in timeline(shop, user):
                n = said_of(row["event"]).get("n")
                if n not in sent or sent[n]["user"] != user:
                    strange.append(row)
                    continue
                check_row(row, sent[n])
                self.rows.setdefault(int(n), []).append(row)
        self.doubled = [n for n, rows in self.rows.items() if len(rows) > 1]
        self.lost = [n for n in sent if n not in self.rows and n not in given_up]
        self.once = len(self.rows) - len(self.doubled)
        assert not strange, ("stored and never sent", strange[:3])
        assert not self.doubled, ("stored more than once", self.doubled[:10])
        assert not self.lost, ("neither stored nor given up", len(self.lost), self.lost[:10])
        assert shop.events() == len(self.rows), ("rows of nobody", shop.events(), len(self.rows))
        assert shop.get("/v1/rejects")[1]["count"] == 0, shop.get("/v1/rejects")


def kill_and_start(shop):
    def restart():
        shop.stop(signal.SIGKILL)
        return shop.start().address
    return restart


def exactly_once(script, client, count, options=None, kills=(0.25, 0.5, 0.75), faults=FAULTS, seed=11):
    """The whole story of one client; what it told of itself."""
    begun = time.monotonic()
    with Shop() as shop, Proxy(shop.start().address, seed, faults) as proxy:
        proxy.marks, proxy.at_mark = [int(count * share) for share in kills], kill_and_start(shop)
        told = send(script, proxy, shop, count, options)
        took_s = time.monotonic() - begun
        proxy.there.wait(30)
        assert not proxy.marks, ("not all kills happened", proxy.marks)
        given_up = set(told["given_up"])
        judged = Judgement(shop, client, count, given_up)
        say(f"{told['client']} {told['version']}: {told['sent']} sent, {len(given_up)} given up"
            f" ({len(given_up & judged.rows.keys())} of them stored), {judged.once} stored once, {len(judged.doubled)} doubled,"
            f" {proxy.injected()} faults {json.dumps(proxy.counts)}, {took_s:.0f} s")
        assert told["sent"] == count and not told.get("violations"), told
        shop.stop()
        shop.run("verify")
        return told


# ---- what each answer makes them do -----------------------------------------------------------------------------

STATUSES = [400, 401, 404, 413, 429, 500, 503, 302]


def answered(script, client, options):
    """{status: what becomes of an event whose first request is answered so}."""
    with Shop() as shop, Proxy(shop.start().address, faults={}) as proxy:
        proxy.first_answers = dict(enumerate(STATUSES))
        told = send(script, proxy, shop, 10, options)
        stored = {int(said_of(row["event"])["n"]) for row in timeline(shop, client + "-0")}
        said = told.get("said", told["given_up"])
        what = {}
        for n, status in enumerate(STATUSES):
            again = "sent again" if proxy.times[n] > 1 else "dropped"
            assert (again == "sent again") == (n in stored), (status, again, stored)
            what[status] = again + (", and says so" if n in said else "")
        say(f"{told['client']} {json.dumps(options)}: {what}")
        return what


DROPPED_AND_SAID = {status: "dropped, and says so" for status in (400, 401, 404, 413)}
DROPPED_IN_SILENCE = {status: "dropped" for status in (400, 401, 404, 413)}
SENT_AGAIN = {status: "sent again" for status in (429, 500, 503)}
ONE_BY_ONE = {"flushAt": 1}


@told_with(npm_installs)
def each_sdk_for_node_drops_and_repeats_as_the_page_on_clients_says():
    for script in ["segment_node", "rudder_node", "analytics_node"]:
        client = script.replace("_", "-")
        what = answered(script, client, ONE_BY_ONE)
        assert what == {**DROPPED_AND_SAID, **SENT_AGAIN, 302: "dropped"}, (client, what)  # followed as a GET: 200, and lost


@told_with(npm_installs)
def an_sdk_without_an_error_handler_ends_its_process_on_400_as_the_page_on_clients_says():
    for script in ["rudder_node", "analytics_node"]:
        with Shop() as shop, Proxy(shop.start().address, faults={}) as proxy:
            proxy.first_answers = {3: 400}
            done = node(script, proxy.url, shop.key, 10, json.dumps({**ONE_BY_ONE, "errorHandler": None}))
            assert done.returncode == 1 and "Bad Request" in done.stderr, (script, done)


# ---- planted errors ------------------------------------------------------------------------------------------------


@told_with(npm_installs)
def a_lost_and_a_doubled_event_of_an_sdk_are_noticed_by_these_stories():
    for plant, words in [("swallow", "neither stored nor given up"), ("double", "stored more than once")]:
        with Shop() as shop, Proxy(shop.start().address, faults={}) as proxy:
            setattr(proxy, plant, 7)
            told = send("segment_node", proxy, shop, 20, ONE_BY_ONE)
            try:
                Judgement(shop, "segment-node", 20, set(told["given_up"]))
            except AssertionError as error:
                assert words in str(error) and "7" in str(error), error
            else:
                assert False, (plant, "and nobody noticed")


# ---- server clients ------------------------------------------------------------------------------------------------


@told_with(npm_installs)
def the_sdk_of_segment_for_node_is_stored_once_through_faults_and_kills():
    exactly_once("segment_node", "segment-node", EVENTS)


@told_with(npm_installs)
def the_sdk_of_rudderstack_for_node_is_stored_once_through_faults_and_kills():
    exactly_once("rudder_node", "rudder-node", EVENTS)


@told_with(npm_installs)
def the_sdk_analytics_node_is_stored_once_through_faults_and_kills():
    exactly_once("analytics_node", "analytics-node", EVENTS)


@told_with(npm_installs)
def the_sdks_for_node_give_nothing_up_with_the_options_that_the_page_on_clients_advises():
    for script in ["rudder_node", "analytics_node"]:
        told = exactly_once(script, script.replace("_", "-"), EVENTS, {"retryCount": 10})
        assert told["given_up"] == [], told


# ---- browser clients -----------------------------------------------------------------------------------------------

IN_BROWSER = (npm_installs, browser_runs)
BATCHES = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 10, "timeout": 500}}}


@told_with(*IN_BROWSER)
def the_sdk_of_segment_for_browsers_is_stored_once_through_faults_and_kills():
    exactly_once("segment_browser", "segment-browser", EVENTS)


@told_with(*IN_BROWSER)
def the_sdk_of_rudderstack_for_browsers_is_stored_once_through_faults_and_kills():
    exactly_once("rudder_browser", "rudder-browser", EVENTS)


@told_with(*IN_BROWSER)
def the_sdks_in_browsers_are_stored_once_with_batches_too():
    few = EVENTS // 5
    exactly_once("segment_browser", "segment-browser", few, BATCHES)
    batches = {"queueOptions": {"batch": {"enabled": True, "maxItems": 10, "flushInterval": 500}}}
    exactly_once("rudder_browser", "rudder-browser", few, batches)


@told_with(*IN_BROWSER)
def beacons_of_an_sdk_are_stored_once_while_pages_close():
    options = {"useBeacon": True, "beaconQueueOptions": {"maxItems": 10, "flushQueueInterval": 500}}
    exactly_once("rudder_browser", "rudder-browser", 200, options, kills=(), faults={})


@told_with(*IN_BROWSER)
def pixels_in_a_strict_page_are_shown_and_stored_without_any_sdk():
    with Shop() as shop:
        shop.start()
        done = node("pixel_browser", "http://%s:%d" % shop.address, shop.key, 40)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["images"] == len(told["sent"]) == shop.events() > 15, told
        sent = events_of("pixel-browser", 40)
        rows = [row for shopper in range(4) for row in timeline(shop, f"pixel-browser-{shopper}")]
        assert sorted(int(row["event"]["properties"]["n"]) for row in rows) == told["sent"]
        for row in rows:
            said, want = row["event"]["properties"], sent[int(row["event"]["properties"]["n"])]["properties"]
            assert said == {key: str(value) for key, value in want.items()}, (said, want)
            if "price" in want:
                assert [micro(line["amount"]) for line in row["lines"]] == [want["price"] * want["quantity"]], row


def does_so(wanted, script, client, options):
    """On a busy machine a page may put two events into one request, which one status then answers: it is asked again."""
    for last in (False, False, True):
        try:
            what = answered(script, client, options)
        except AssertionError:
            if last:
                raise
            continue
        if what == wanted:
            return
    assert what == wanted, (client, options, what)


@told_with(*IN_BROWSER)
def each_sdk_in_a_browser_drops_and_repeats_as_the_page_on_clients_says():
    # the page behind a redirect allows no other origin: the browser hides it from the client, which sends again
    does_so({**DROPPED_AND_SAID, **SENT_AGAIN, 302: "sent again"}, "segment_browser", "segment-browser", {})
    single = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 1, "timeout": 500}}}
    silent = {**DROPPED_IN_SILENCE, **SENT_AGAIN, 302: "sent again"}
    does_so(silent, "segment_browser", "segment-browser", single)
    does_so(silent, "rudder_browser", "rudder-browser", {})


@told_with(*IN_BROWSER)
def a_server_that_forgets_its_cors_fields_is_noticed_by_these_stories():
    with Shop() as shop, Proxy(shop.start().address, faults={}) as proxy:
        proxy.hides_cors = True
        done = node("segment_browser", proxy.url, shop.key, 10)
        assert done.returncode == 1 and "blocked by CORS policy" in done.stderr, done
