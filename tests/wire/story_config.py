"""Settings as an operator meets them, and what the doctor finds."""
import json, os, signal, socket, subprocess, time

from lib import ON_POSTGRES, event, on_file, Shop, SOUK, story

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def souk(*words, environment=None, stdin=None):
    """Exit code, stdout, stderr."""
    done = subprocess.run([SOUK, *words], capture_output=True, text=True, input=stdin, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


class SetShop(Shop):
    """A shop with settings: write() the file, shown() what holds."""

    def write(self, *lines):
        with open(os.path.join(self.data, "souk.toml"), "w") as file:
            file.write("\n".join(lines) + "\n")

    def shown(self, *words, environment=None):
        code, out, err = souk("config", "show", "--data", self.data, "--json", *words, environment=environment)
        assert code == 0, err
        return {setting["name"]: setting for setting in json.loads(out)["settings"]}

    def path(self, name):
        return os.path.join(self.data, name)

    def doctor(self, fails=False):
        code, out, err = souk("doctor", "--data", self.data, "--json")
        found = json.loads(out)
        assert code == (1 if fails else 0) and found["healthy"] is not fails, (code, out, err)
        return {(line["check"], line["state"]): line for line in found["checks"]}


# ---- settings ---------------------------------------------------------------------------------------------


@story
def a_new_shop_has_a_sample_of_settings_that_changes_nothing():
    with SetShop() as shop:
        with open(shop.path("souk.toml")) as file:
            sample = file.read()
        assert all(line.startswith("#") or not line for line in sample.splitlines()), sample
        assert souk("config", "sample")[1] == sample
        assert all(setting["from"] == "default" and setting["value"] == setting["default"] for setting in shop.shown().values())
        assert souk("config", "check", "--data", shop.data)[0] == 0


@story
def a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default():
    with SetShop() as shop:
        shop.write("loops = 2", "[limits]", "batch_events = 7", "body_ms = 700")
        said = {"SOUK_LOOPS": "3", "SOUK_LIMITS_BATCH_EVENTS": "8", "SOUK_DRAIN_S": ""}
        shown = shop.shown("--loops", "4", environment=said)
        for name, value, origin in [("loops", 4, "flag"), ("limits.batch_events", 8, "environment"), ("limits.body_ms", 700, "file"),
                                    ("drain_s", 10, "default")]:
            assert (shown[name]["value"], shown[name]["from"]) == (value, origin), shown[name]
        elsewhere = os.path.join(os.path.dirname(shop.data), "other.toml")
        with open(elsewhere, "w") as file:
            file.write("loops = 5\n")
        assert shop.shown("--config", elsewhere)["loops"]["value"] == 5
        assert shop.shown(environment={"SOUK_CONFIG": elsewhere})["limits.body_ms"]["from"] == "default"
        code, out, _ = souk("config", "show", "--data", shop.data)
        assert code == 0 and "limits.body_ms" in out and "700 ms" in out and shop.path("souk.toml") in out, out


@story
def every_mistake_of_a_file_is_told_with_its_place_and_stops_the_server():
    with SetShop() as shop:
        shop.write("lisetn = ':80'", "loops = 0", "[limits]", "body_ms = 'soon'", "batch_events == 3", "[ledger]", "readers = 2")
        path = shop.path("souk.toml")
        code, out, err = souk("config", "check", "--data", shop.data)
        places = [line.split(" ")[0] for line in out.splitlines()]
        assert code == 1 and places == [f"{path}:1:1:", f"{path}:2:9:", f"{path}:4:11:", f"{path}:5:15:"], (code, out, err)
        assert "do you mean listen" in out and "from 1 to 64" in out and "4 mistakes" in err, (out, err)
        code, out, _ = souk("config", "check", path, "--json")
        mistakes = json.loads(out)["mistakes"]
        assert code == 1 and [(m["line"], m["column"]) for m in mistakes] == [(1, 1), (2, 9), (4, 11), (5, 15)], out
        for words in [("serve", "--listen", "127.0.0.1:0"), ("stats",), ("config", "show")]:
            code, out, err = souk(*words, "--data", shop.data)
            assert code == 2 and out == "" and f"{path}:1:1:" in err and "mend the 4 mistakes" in err, (words, code, out, err)
        shop.write("listen = '127.0.0.1:0'", "loops = 1", "[ledger]", "readers = 2")
        assert souk("config", "check", "--data", shop.data)[0] == 0
        shop.start()
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200


@story
def a_file_is_checked_alone_from_stdin_too_and_must_be_there():
    code, out, _ = souk("config", "check", "-", stdin="[log]\nlevel = \"laud\"\n")
    assert code == 1 and out.startswith("stdin:2:9: log.level is 'laud'"), out
    assert souk("config", "check", "-", stdin="# nothing\n", environment={"SOUK_LOOPS": "many"})[0] == 0
    code, out, _ = souk("config", "check", "/none/souk.toml")
    assert code == 1 and "/none/souk.toml: the file cannot be read" in out, (code, out)
    for words in [("config",), ("config", "shwo"), ("config", "show", "more"), ("config", "check", "a", "b")]:
        assert souk(*words)[0] == 2, words


@story
def a_misspelt_variable_flag_or_command_is_told_the_nearest_one():
    with SetShop() as shop:
        code, _, err = souk("config", "show", "--data", shop.data, environment={"SOUK_LISTN": ":80"})
        assert code == 2 and "SOUK_LISTN" in err and "SOUK_LISTEN?" in err, err
        code, _, err = souk("serve", "--data", shop.data, "--limit-body-ms", "5")
        assert code == 2 and "--limits-body-ms?" in err, err
        code, _, err = souk("serve", "--data", shop.data, "--limits-body-ms", "5")
        assert code == 2 and "--limits-body-ms: limits.body_ms is 5, and must be" in err, err
        code, _, err = souk("sevre", "--data", shop.data)
        assert code == 2 and "`souk serve`?" in err, err
        code, _, err = souk("init", "--data", shop.data + "2", environment={"SOUK_LOOPS": "0"})
        assert code == 2 and not os.path.exists(shop.data + "2"), err  # nothing was made


@story
def help_tells_what_the_words_of_each_command_mean():
    listed = [line.split()[1] for line in souk("help")[1].splitlines() if line.startswith("  souk ")]
    assert "merge" in listed and "restore" in listed, listed
    for command in listed:
        code, out, _ = souk("help", command)
        assert code == 0 and out.startswith(f"souk {command}"), (command, out)
        assert souk(command, "--help")[1] == out == souk(command, "-h")[1], command
    merge, consent = souk("help", "merge")[1], souk("help", "consent")[1]
    assert "KIND" in merge and "anonymous" in merge and "WHY" in merge and "for example" in merge, merge
    assert "advertise" in consent and "withdrawn" in consent and "adult or minor" in consent, consent
    assert "PURPOSE" not in merge and "WHY" not in consent
    code, _, err = souk("help", "shoper")
    assert code == 2 and "`souk shopper`?" in err, err
    assert souk("--version")[1] == souk("version")[1]


@story
def a_word_too_many_or_too_few_is_told_with_the_usage_and_nothing_is_made():
    with SetShop() as shop:
        none = shop.data + "-none"
        for words, told in [(("stats", "extra"), "'extra' is a word too many: souk stats"), (("init", none), "souk init [--name NAME]"),
                            (("merge", "user", "u1"), "too few words: souk merge KIND VALUE KIND VALUE"),
                            (("rejects", "drop", "x"), "is a number"), (("rejects", "drop"), "souk rejects drop ID"),
                            (("stats", "--data", "--json"), "--data needs a value"),
                            (("erase", "user", "u1", "--dry-run"), "--dry-run is no flag of this command: see `souk help erase`"),
                            (("world", "--shopper", "10"), "--shopper is no flag of this command: see `souk help world`")]:
            code, out, err = souk(*words, environment={"SOUK_DATA": shop.data})
            assert code == 2 and out == "" and told in err, (words, code, out, err)
        for words in [("stats",), ("verify",), ("serve", "--listen", "127.0.0.1:0"), ("restore", "--to", none + "-backup")]:
            code, _, err = souk(*words, "--data", none)
            assert code == 1 and "there is no folder" in err, (words, code, err)
        assert os.listdir(os.path.dirname(shop.data)) == ["data"]
        assert "there is no reject 9: see `souk rejects`" in shop.run("rejects", "drop", "9", fails=1)


@story
def a_purpose_or_an_age_that_is_misspelt_is_refused_with_what_there_is():
    with SetShop() as shop:
        shop.start()
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
        assert "advertise or research" in shop.run("profile", "user", "u1", "advertize", fails=2)
        assert "'adult' or 'minor'" in shop.run("consent", "user", "u1", "profile", "consent", "form 1", "minr", fails=2)
        assert "not permitted" in shop.run("profile", "user", "u1", "profile", fails=1)  # nothing was recorded
        assert "a public id has 32 hexadecimal digits" in shop.run("shopper", "public", "zz", fails=2)


@story
def the_page_of_settings_is_what_the_command_writes():
    with open(os.path.join(ROOT, "docs", "settings.md")) as file:
        page = file.read()
    assert souk("config", "reference")[1] == page, "souk config reference > docs/settings.md"


@story
def the_page_of_events_is_what_the_command_writes():
    with open(os.path.join(ROOT, "docs", "events.md")) as file:
        page = file.read()
    assert souk("events")[1] == page, "souk events > docs/events.md"


# ---- and what they do -------------------------------------------------------------------------------------


@story
def limits_of_batch_and_body_hold_as_they_are_set():
    with SetShop() as shop:
        shop.write("[limits]", "batch_events = 3", "body_bytes = 65536")
        shop.start()
        batch = [event("u1", f"m{i}") for i in range(4)]
        assert shop.send("/v1/batch", {"batch": batch[:3]})[0] == 200
        status, body, _ = shop.send("/v1/batch", {"batch": batch})
        assert status == 413 and b"more than 3 events" in body, body
        assert shop.send("/v1/batch", {"batch": batch[:1], "padding": "x" * 65536})[0] == 413
        assert shop.events() == 3
        shop.stop()
        shop.write("[limits]", "body_bytes = 8388608")
        shop.start()
        assert shop.send("/v1/batch", {"batch": batch, "padding": "x" * (6 << 20)})[0] == 200  # above the usual 4 MiB
        head = f"POST /v1/batch HTTP/1.1\r\nHost: souk\r\nContent-Length: {(8 << 20) + 1}\r\n\r\n"
        assert shop.raw(head.encode(), 20).startswith(b"HTTP/1.1 413 ")  # without waiting for the body
        assert shop.events() == 4


@story
def the_smallest_of_all_settings_still_serve_and_restart():
    with SetShop() as shop:
        tables = {}
        for name, setting in shop.shown().items():
            table, _, key = name.rpartition(".")
            if table == "mqtt":  # texts: none is the least
                continue
            tables.setdefault(table, []).append(key)
        least = {"listen": "'127.0.0.1:0'", "level": "'off'", "body_bytes": 65536, "connections": 8, "head_ms": 100, "body_ms": 100,
                 "queue_events": 8192, "snapshot_events": 1000, "run_pairs": 16384, "cache_keys": 1024, "cache_kib": 256, "allow_private": "''", "url": "''" if not ON_POSTGRES else f"'{shop.environment['SOUK_LEDGER_URL']}'", "retry_ms": 10,
                 "deadline_ms": 100}
        lines = []
        for table, keys in tables.items():
            lines += [f"[{table}]"] if table else []
            lines += [f"{key} = {least.get(key, 1)}" for key in keys if key != "batch_events"]
            lines += ["batch_events = 100"] if table == "limits" else []
        shop.write(*lines)
        shop.start()
        for start in range(0, 3000, 100):
            batch = {"batch": [event(f"u{i % 50}", f"m{i}") for i in range(start, start + 100)]}
            status = shop.send("/v1/batch", batch)[0]
            while status == 408:  # 100 ms for head and body may be too short on a busy machine
                status = shop.send("/v1/batch", batch)[0]
            assert status == 200, status
        assert shop.events() == 3000
        assert shop.stop() == 0 and shop.stderr() == "", shop.stderr()  # the log is off
        shop.run("verify")
        shop.start()
        assert shop.events() == 3000


@story
def deadlines_of_head_and_body_are_those_that_are_set():
    with SetShop() as shop:
        shop.write("[limits]", "head_ms = 100", "body_ms = 100")
        shop.start()
        for sent in [b"POST /v1/batch HTTP/1.1\r\nHo", b"POST /v1/batch HTTP/1.1\r\nHost: souk\r\nContent-Length: 9\r\n\r\n{"]:
            assert shop.raw(sent, 20).startswith(b"HTTP/1.1 408 "), sent


@story
def no_more_connections_of_one_address_than_are_set():
    with SetShop() as shop:
        shop.write("[limits]", "peer_connections = 2")
        shop.start()
        request = b"GET /healthz HTTP/1.1\r\nHost: souk\r\n\r\n"
        held = [socket.create_connection(shop.address, 20) for _ in range(2)]
        for one in held:
            one.sendall(request[:20])  # in the middle of a head: neither idle nor done
        turned_away = shop.raw(request, 20)
        assert not turned_away.startswith(b"HTTP/1.1 200"), turned_away
        for one in held:
            one.sendall(request[20:])
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
            one.close()


@story
def the_log_is_json_lines_from_the_level_on_that_is_set():
    with SetShop() as shop:
        shop.start()
        assert shop.stop() == 0
        lines = [json.loads(line) for line in shop.stderr().splitlines()]
        assert [line["words"] for line in lines] == ["the server is ready", "the server stops"], lines
        shop.start({"SOUK_LOG_LEVEL": "warn"})
        assert shop.stop() == 0 and shop.stderr() == "", shop.stderr()


@story
def a_server_that_is_told_to_stop_waits_as_long_as_is_set_for_a_request_under_way():
    with SetShop() as shop:
        shop.write("drain_s = 1", "[limits]", "body_ms = 60000")
        shop.start()
        with socket.create_connection(shop.address, 20) as slow:
            slow.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: souk\r\nContent-Length: 9\r\n\r\n{")
            assert shop.call("GET", "/healthz")[0] == 200  # it was accepted before this one
            assert shop.stop() == 0  # though nobody ended the request


# ---- the doctor -------------------------------------------------------------------------------------------


@story
@on_file
def a_sound_folder_is_healthy_and_looking_changes_nothing():
    with SetShop() as shop:
        before = {name: os.stat(shop.path(name)).st_mtime_ns for name in ["ledger", "keys", "root.key", "souk.toml"]}
        found = shop.doctor()
        for check in ["folder", "settings", "root.key", "keys", "ledger", "server", "key header", "ledger check", "formats"]:
            assert (check, "ok") in found, (check, found)
        for check in ["free disk", "descriptors", "key memory", "clock", "sync", "key's place"]:
            assert any(name == check for name, _ in found), check
        assert found["key's place", "advice"]["do"], found
        assert {name: os.stat(shop.path(name)).st_mtime_ns for name in before} == before
        assert not os.path.exists(shop.path("doctor"))
        shop.start()
        assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
        found = shop.doctor()
        assert f"process {shop.process.pid} serves it" in found["server", "ok"]["words"], found
        assert shop.events() == 1 and shop.stop() == 0
        code, out, _ = souk("doctor", "--data", shop.data)
        assert code == 0 and "to do:" in out and "fault" not in out, out
        shop.run("verify")


@story
@on_file
def the_doctor_finds_what_is_wrong_and_says_what_to_do():
    with SetShop() as shop:
        assert souk("doctor", "--data", shop.data + "-none")[0] == 1 and not os.path.exists(shop.data + "-none")
        os.chmod(shop.path("root.key"), 0o444)
        os.chmod(shop.data, 0o777)
        shop.write("lisetn = 1")
        found = shop.doctor(fails=True)
        assert "chmod 0400" in found["root.key", "fault"]["do"] and "chmod 0700" in found["folder", "fault"]["do"], found
        assert "souk.toml:1:1:" in found["settings", "fault"]["words"], found
        os.chmod(shop.path("root.key"), 0o400)
        os.chmod(shop.data, 0o700)
        os.unlink(shop.path("souk.toml"))
        shop.doctor()

        with open(shop.path("keys"), "r+b") as keys:  # one copy of the header's eight, then all
            keys.write(b"?")
        assert "1 of 8 copies" in shop.doctor()["key header", "advice"]["words"]
        with open(shop.path("keys"), "r+b") as keys:
            header = keys.read(4096)
            keys.seek(0)
            keys.write(b"?" * 4096)
        assert ("key header", "fault") in shop.doctor(fails=True)
        with open(shop.path("keys"), "r+b") as keys:
            keys.write(header)

        os.utime(shop.path("ledger"), (time.time() + 3600,) * 2)
        assert "set back" in shop.doctor(fails=True)["clock", "fault"]["words"]
        os.utime(shop.path("ledger"))
        with open(shop.path("ledger"), "r+b") as ledger:
            ledger.seek(4096)
            ledger.write(b"\x5a" * 4096)
        assert ("ledger check", "fault") in shop.doctor(fails=True)
        os.truncate(shop.path("ledger"), 0)  # for SQLite a new database, for the shop the end of all it knew
        assert "has no bytes" in shop.doctor(fails=True)["ledger check", "fault"]["words"]
        os.rename(shop.path("ledger"), shop.path("ledger.away"))
        assert "missing" in shop.doctor(fails=True)["ledger", "fault"]["words"]


@story
@on_file
def the_doctor_knows_tables_of_a_newer_program():
    with SetShop() as shop:
        done = subprocess.run(["sqlite3", shop.path("ledger"), "INSERT INTO souk_migration (module, number) VALUES ('log', 99)"],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = shop.doctor(fails=True)["formats", "fault"]
        assert "'log' are at step 99" in found["words"] and "newer program" in found["do"], found


@story
@on_file
def a_root_key_on_another_disk_is_followed_through_its_link():
    with SetShop() as shop:
        if os.stat("/dev/shm").st_dev == os.stat(shop.data).st_dev:
            return "skipped"
        away = f"/dev/shm/souk-wire-{os.getpid()}-{id(shop)}"
        try:
            with open(shop.path("root.key"), "rb") as key, open(away, "wb") as copy:
                copy.write(key.read())
            os.chmod(away, 0o400)
            os.unlink(shop.path("root.key"))
            os.symlink(away, shop.path("root.key"))
            assert ("key's place", "ok") in shop.doctor()
            shop.start()
            assert shop.send("/v1/batch", {"batch": [event("u1", "m1")]})[0] == 200
        finally:
            os.unlink(away)


@story
@on_file
def a_server_that_hangs_is_a_fault():
    with SetShop() as shop:
        shop.start()
        shop.process.send_signal(signal.SIGSTOP)
        try:
            assert "does not answer" in shop.doctor(fails=True)["server", "fault"]["words"]
        finally:
            shop.process.send_signal(signal.SIGCONT)
        shop.doctor()
