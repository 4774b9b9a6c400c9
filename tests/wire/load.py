"""load.py - clients that send without a pause and write down what they were told.

    with Load(shop) as load:
        load.wait(acknowledged=1000)
        load.wait(refused=5)                 what was there before is not counted
    assert shop.events() == len(load.acknowledged)

Every batch has message ids of its own.  What a client knows of a batch afterwards: it was acknowledged (200),
refused (503: nothing of it is stored), or nobody knows (500, a broken connection)."""
import itertools, threading

from lib import event

WAIT_S = 30  # a story that waits longer than this has failed


class Load:
    numbers = itertools.count()  # over all loads: no message id comes twice

    def __init__(self, shop, clients=4, events=50):
        self.shop, self.event_count = shop, events
        self.acknowledged, self.refused, self.unknown = [], [], []
        self.answers = {}  # status: the last answer with it
        self.changed, self.stopping = threading.Condition(), False
        self.threads = [threading.Thread(target=self.client) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def known_user(self):
        """A user of whom an event is stored."""
        return self.user_of(int(self.acknowledged[0].split("-")[1]))

    @staticmethod
    def user_of(number):
        return f"u{number % 97}"

    def client(self):
        while not self.stopping:
            number = next(Load.numbers)
            ids = [f"load-{number}-{i}" for i in range(self.event_count)]
            try:
                answer = self.shop.send("/v1/batch", {"batch": [event(self.user_of(number), m) for m in ids]})
            except ConnectionRefusedError:
                return  # it never got there
            except (OSError, IndexError, ValueError):
                answer = (0, b"", b"")  # it broke on the way
            with self.changed:
                kind = {200: self.acknowledged, 503: self.refused}.get(answer[0], self.unknown)
                kind.extend(ids)
                self.answers[answer[0]] = answer
                self.changed.notify_all()
            if not answer[0]:
                return

    def wait(self, acknowledged=0, refused=0):
        """Until so many events more were acknowledged and refused than now."""
        with self.changed:
            acknowledged, refused = acknowledged + len(self.acknowledged), refused + len(self.refused)
            done = self.changed.wait_for(lambda: len(self.acknowledged) >= acknowledged and len(self.refused) >= refused, WAIT_S)
            assert done, (len(self.acknowledged), acknowledged, len(self.refused), refused, self.answers)

    def joined(self):
        for thread in self.threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()


def send_again(shop, ids):
    """Sends events that may be there already: what is there is a repeat, what is not is added."""
    for i in range(0, len(ids), 2000):
        status, body, _ = shop.send("/v1/batch", {"batch": [event("u0", m) for m in ids[i:i + 2000]]})
        assert status == 200, (status, body)


def is_there_once(shop, acknowledged, unknown=()):
    """The shop holds the acknowledged events, perhaps some that nobody knows of, and nothing else, each once."""
    before = shop.events()
    assert len(acknowledged) <= before <= len(acknowledged) + len(unknown), (len(acknowledged), before, len(unknown))
    send_again(shop, acknowledged)
    assert shop.events() == before, ("acknowledged and lost", shop.events() - before)
    send_again(shop, list(unknown))
    assert shop.events() == len(acknowledged) + len(unknown), (shop.events(), len(acknowledged), len(unknown))
