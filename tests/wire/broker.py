"""broker.py - a real mosquitto of a story's own, on a port of its own, and mosquitto_pub to speak to it.

    with Broker(folder) as broker:
        shop.start(broker.settings("counts = counts, counters, SH-14"))
        broker.publish("counts", {"sensor": "d", "end": 1767268800, "in": 3})"""
import json, os, signal, socket, subprocess, time

MOSQUITTO = "/usr/sbin/mosquitto"
WAIT_S = 60  # a story that waits longer than this has failed


def wait_for(what, condition):
    """Until it is true: other processes decide when, and tell nobody."""
    end = time.monotonic() + WAIT_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, what
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Broker:
    def __init__(self, folder, inflight=None, password=None, tls=False):
        self.folder, self.port, self.process = folder, free_port(), None
        self.ca_file = f"{folder}/ca.pem" if tls else ""
        self.user = "souk" if password else ""
        os.makedirs(folder, exist_ok=True)
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
                 "max_queued_messages 0", "user root", "log_type none",
                 f"allow_anonymous {'false' if password else 'true'}"]
        if inflight is not None:
            lines.append(f"max_inflight_messages {inflight}")
        if password:
            subprocess.run(["mosquitto_passwd", "-b", "-c", f"{folder}/passwords", self.user, password], check=True)
            lines.append(f"password_file {folder}/passwords")
        if tls:
            self.make_certificate()
            lines += [f"certfile {self.ca_file}", f"keyfile {folder}/key.pem"]
        with open(f"{folder}/mosquitto.conf", "w") as file:
            file.write("\n".join(lines) + "\n")
        self.start()

    def make_certificate(self):
        """One that signs itself, for 127.0.0.1."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{self.folder}/key.pem",
                        "-out", self.ca_file], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", f"{self.folder}/mosquitto.conf"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for("the broker listens", self.listens)

    def listens(self):
        assert self.process.poll() is None, ("mosquitto ended", self.process.returncode)
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def settings(self, subscriptions, **more):
        names = {"broker": f"127.0.0.1:{self.port}", "subscriptions": subscriptions, "user": self.user,
                 "ca_file": self.ca_file, **more}
        return {f"SOUK_MQTT_{name.upper()}": value for name, value in names.items()}

    def pub(self, topic, *words, data=None):
        trust = ["--cafile", self.ca_file] if self.ca_file else []
        return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", topic, *trust, *words],
                              input=data, check=True, timeout=WAIT_S)

    def publish(self, topic, payload, *words):
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        self.pub(topic, "-s", *words, data=text if isinstance(text, bytes) else text.encode())

    def publish_lines(self, topic, lines):
        """One message a line, over one connection."""
        self.pub(topic, "-l", data="".join(line + "\n" for line in lines).encode())


def connected(shop):
    """Waits until the shop's client speaks to the broker."""
    wait_for("the client is connected", lambda: shop.get("/v1/mqtt")[1]["connected"])


def taken(shop, messages):
    """Waits until so many messages have been taken since the start; the client's counts."""
    return wait_for(f"{messages} messages",
                    lambda: (lambda c: c if c["messages"] >= messages and c["connected"] else None)(shop.get("/v1/mqtt")[1]))
