"""clients.py - the clients of tests/clients, unmodified, each in a process of its own.

    client = begin("sensors_web.js", shop_url, "image", "10", "u1")
    told = end(client)

They are installed once by `npm ci`; where there is no npm a story is skipped."""
import json, os, shutil, subprocess, threading

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients")
LOCK = threading.Lock()


def there():
    """Whether clients can run; installs them."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    with LOCK:
        if not os.path.isdir(os.path.join(FOLDER, "node_modules")):
            done = subprocess.run(["npm", "ci"], cwd=FOLDER, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    return True


def begin(script, *words):
    return subprocess.Popen(["node", os.path.join(FOLDER, script), *map(str, words)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(client, sent="", wait=120):
    """What it printed, a JSON value for each line."""
    try:
        out, words = client.communicate(sent, timeout=wait)
    except subprocess.TimeoutExpired:
        client.kill()
        raise
    assert client.returncode == 0, (client.args, client.returncode, words[-2000:])
    return [json.loads(line) for line in out.splitlines()]
