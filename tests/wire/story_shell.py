"""The manual and the completion as shells and readers meet them, and what `./dev install` puts where."""
import gzip, os, pty, re, select, shutil, subprocess, tempfile, time

from lib import SOUK, story
from load import WAIT_S
from story_config import ROOT, souk

COMMANDS = [line.split()[1] for line in souk("help")[1].splitlines() if line.startswith("  souk ")]


def lacks(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    for program in missing:
        print(f"skipped: {program} is not installed (a Debian package of that name)")
    return bool(missing)


class Folder:
    """A folder with a file and a folder in it, and the scripts of all shells."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="souk-wire-shell-")
        os.mkdir(os.path.join(self.path, "inner"))
        open(os.path.join(self.path, "input.csv"), "w").close()
        os.symlink(SOUK, os.path.join(self.path, "souk"))
        for shell in ("bash", "zsh", "fish"):
            with open(os.path.join(self.path, {"zsh": "_souk"}.get(shell, "souk." + shell)), "w") as file:
                code, script, _ = souk("completion", shell)
                assert code == 0 and script.endswith("\n")
                file.write(script)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def run(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, cwd=self.path, stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": self.path, "PATH": self.path + ":" + os.environ["PATH"]})
        assert done.returncode == 0 and not done.stderr, (words[0], done.returncode, done.stderr)
        return done.stdout


# what stands before the cursor, and all that may stand there; None: not all is listed here
CASES = [
    ("souk im", ["import"]),
    ("souk ", COMMANDS),
    ("souk import ", ["cdnow", "complete-journey", "consents", "events", "groceries", "merchant-feed", "online-retail", "orders",
                      "poslog", "products", "shoppers", "stores", "tafeng"]),
    ("souk import online-retail in", ["inner/", "input.csv"]),
    ("souk import --source web online-retail inp", ["input.csv"]),
    ("souk stats --data in", ["inner/"]),
    ("souk backup --to in", ["inner/"]),
    ("souk stats --config inp", ["input.csv"]),
    ("souk shopper e", ["email"]),
    ("souk shopper email ann", []),
    ("souk shopper email ann@example.com pro", ["profile"]),
    ("souk consent user u1 advertise w", ["withdrawn"]),
    ("souk consent user u1 advertise consent form ", ["adult", "minor"]),
    ("souk merge user u1 ph", ["phone"]),
    ("souk rejects ", ["replay", "drop"]),
    ("souk rejects drop ", []),
    ("souk token new read ma", ["manage"]),
    ("souk token --name desk new read a", ["admin"]),
    ("souk token revoke ", []),
    ("souk source add till --basis profile=con", ["profile=consent", "profile=contract"]),
    ("souk source add till --age-band ", ["adult"]),
    ("souk serve --listen 127.0.0.1:0 --limits-b", ["--limits-body-bytes", "--limits-batch-events", "--limits-body-ms"]),
    ("souk serve --log-level e", ["error"]),
    ("souk stats --", ["--data", "--config", "--json", "--help"]),
    ("souk init --n", ["--name"]),
    ("souk config check inp", ["input.csv"]),
    ("souk config ", ["show", "check", "sample", "reference"]),
    ("souk help cons", ["consent"]),
    ("souk man souk.", ["souk.1", "souk.toml.5"]),
    ("souk completion ", ["bash", "zsh", "fish"]),
    ("souk version ", []),
    ("souk nothing ", []),
]


def bash_words(line):
    """As readline parts them: at blanks, and at = and : which are words themselves."""
    words = []
    for word in line.split(" "):
        words += [part for part in re.split("([=:]+)", word) if part] or [""]
    return words


@story
def bash_completes_what_the_tables_hold():
    with Folder() as folder:
        folder.run("bash", "-n", "souk.bash")
        script = ["source ./souk.bash"]
        for line, _ in CASES:
            words = " ".join(f"'{word}'" for word in bash_words(line))
            script.append(f"COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _souk; printf '%s\\n' \"${{COMPREPLY[@]}}\" '<end>'")
        got = [answer.split() for answer in folder.run("bash", "-c", "\n".join(script)).split("<end>\n")[:-1]]
        assert len(got) == len(CASES)
        for (line, expected), words in zip(CASES, got):
            before = re.search(r"[^ ]*[=:]|", line.split(" ")[-1]).group()  # which bash has already
            words = [before + word + ("/" if os.path.isdir(os.path.join(folder.path, word)) else "") for word in words]
            assert sorted(words) == sorted(expected), (line, words, expected)


@story
def fish_completes_what_the_tables_hold():
    if lacks("fish"):
        return "skipped"
    with Folder() as folder:
        folder.run("fish", "-n", "souk.fish")
        script = ["source ./souk.fish"]
        for line, _ in CASES:
            script += [f"complete -C '{line}'", "echo '<end>'"]
        answers = folder.run("fish", "--no-config", "-c", "\n".join(script)).split("<end>\n")
        for (line, expected), answer in zip(CASES, answers):
            words = [word.split("\t")[0] for word in answer.splitlines()]
            assert sorted(words) == sorted(expected), (line, words, expected)
        summary = [word for word in answers[0].splitlines() if word.startswith("import\t")]
        assert "a file becomes events" in summary[0], answers[0]


class Zsh:
    """An interactive zsh with our script, on a terminal of its own."""

    def __init__(self, folder):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder.path)
            os.environ.update({"HOME": folder.path, "TERM": "dumb", "PATH": folder.path + ":" + os.environ["PATH"]})
            os.execlp("zsh", "zsh", "-f", "-i")
        # the list of what fits is taken where zsh would show it
        self.type("unsetopt zle_bracketed_paste 2>/dev/null; PS1='' PS2=''; stty -echo rows 500 columns 200; fpath=($PWD $fpath); "
                  "autoload -Uz compinit && compinit -u -D; zstyle ':completion:*' list-grouped false; "
                  "compadd() { local -A o; local -a found; builtin compadd -A found \"$@\"; all+=($found); builtin compadd \"$@\"; }; "
                  "typeset -ga all; show() { all=(); zle complete-word; print -l '' '<begin>' $all '<end>'; BUFFER=''; zle redisplay; }; "
                  "zle -N show; bindkey '^T' show; setopt no_beep no_auto_menu no_auto_list; echo '<ready''>'\n")
        self.until("<ready>")

    def type(self, words):
        os.write(self.terminal, words.encode())

    def until(self, mark):
        got, end = "", time.monotonic() + WAIT_S
        while mark not in got:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, (mark, got)
            got += os.read(self.terminal, 65536).decode(errors="replace").replace("\r", "")
        return got

    def complete(self, line):
        self.type(line + "\x14")
        shown = self.until("<end>")
        return sorted(set(shown[shown.index("<begin>\n") + 8:shown.index("<end>")].split()))

    def done(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


@story
def zsh_completes_what_the_tables_hold():
    if lacks("zsh"):
        return "skipped"
    with Folder() as folder:
        folder.run("zsh", "-n", "_souk")
        zsh = Zsh(folder)
        try:
            for line, expected in CASES:
                expected = sorted(word.rstrip("/") for word in expected)
                words = zsh.complete(line)
                assert words == expected, (line, words, expected)
        finally:
            zsh.done()


@story
def the_manual_is_clean_and_tells_of_every_command_and_setting():
    if lacks("mandoc"):
        return "skipped"
    names = souk("man", "--list")[1].split()
    assert names == ["souk.1", *[f"souk-{command}.1" for command in COMMANDS], "souk.toml.5"], names
    with tempfile.TemporaryDirectory(prefix="souk-wire-man-") as folder:
        for name in names:
            code, page, _ = souk("man", name)
            assert code == 0
            with open(os.path.join(folder, name), "w") as file:
                file.write(page)
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *names], cwd=folder, capture_output=True, text=True)
        assert lint.returncode == 0 and lint.stdout == "", lint.stdout

        def read(name):
            done = subprocess.run(["mandoc", "-T", "ascii", name], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, (name, done.stderr)
            return re.sub(".\b", "", done.stdout)

        assert "souk rejects replay ID [EVENT]" in read("souk-rejects.1")
        assert "souk token new SCOPE ... [--name NAME]" in read("souk-token.1")
        assert "--basis P=B" in read("souk-import.1") and "profile=consent" in read("souk-import.1")
        assert "limits.body_ms" in read("souk.toml.5") and "SOUK_LIMITS_BODY_MS" in read("souk.toml.5")
        assert all(f"souk-{command}(1)" in read("souk.1") for command in COMMANDS)
    assert souk("man", "import") == souk("man", "souk-import") and souk("man") == souk("man", "souk")
    code, _, err = souk("man", "imprt")
    assert code == 2 and "souk man --list" in err, err
    code, _, err = souk("completion", "csh")
    assert code == 2 and "bash, zsh or fish" in err, err


# ---- installed ----------------------------------------------------------------------------------------------


def installed(folder):
    """Every file below the folder with its mode and bytes."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = (os.stat(path).st_mode & 0o777, file.read())
    return found


def install(folder, prefix, fails=False):
    done = subprocess.run([os.path.join(ROOT, "tools", "install"), SOUK, prefix], capture_output=True, text=True,
                          env={**os.environ, "DESTDIR": folder})
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr


@story
def what_is_installed_works_and_installing_again_changes_nothing():
    with tempfile.TemporaryDirectory(prefix="souk-wire-install-") as folder:
        install(folder, "/opt/souk")
        before = installed(folder)
        install(folder, "/opt/souk")
        assert installed(folder) == before
        names = {name.removeprefix("opt/souk/") for name in before}
        for name in ["bin/souk", "share/man/man1/souk.1.gz", "share/man/man1/souk-import.1.gz", "share/man/man5/souk.toml.5.gz",
                     "share/bash-completion/completions/souk", "share/zsh/site-functions/_souk",
                     "share/fish/vendor_completions.d/souk.fish", "lib/systemd/system/souk.service", "lib/systemd/system/souk.socket"]:
            assert name in names, (name, names)
        assert len(names) == 10 + len(COMMANDS), names  # and nothing half written
        for name, (mode, content) in before.items():
            assert mode == (0o755 if name.endswith("bin/souk") else 0o644), (name, mode)
            if name.endswith("/souk-import.1.gz"):
                assert gzip.decompress(content).decode() == souk("man", "import")[1]
        assert b"ExecStart=/opt/souk/bin/souk serve" in before["opt/souk/lib/systemd/system/souk.service"][1]
        done = subprocess.run([os.path.join(folder, "opt/souk/bin/souk"), "version"], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout == souk("version")[1]
        assert "must begin with /" in install(folder, "opt", fails=True)


@story
def systemd_finds_nothing_wrong_with_the_units_and_little_to_fear():
    if lacks("systemd-analyze"):
        return "skipped"
    with tempfile.TemporaryDirectory(prefix="souk-wire-units-") as folder:
        install("", folder)
        units = os.path.join(folder, "lib", "systemd", "system")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(os.listdir(units))], cwd=units, capture_output=True,
                              text=True)
        assert done.returncode == 0 and "souk" not in done.stderr, done.stderr
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", "souk.service"],
                              cwd=units, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout  # 1.5 of 10 at most
