"""A PostgreSQL of the stories' own, on a socket in a folder of its own: SOUK_WIRE_LEDGER=postgres puts each shop's ledger there."""
import atexit, glob, os, shutil, subprocess, tempfile, threading

making = threading.Lock()
server = None


class Server:
    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        assert found, "postgresql is not there: `./dev test` brings it"
        self.bin = os.path.dirname(found[-1])
        self.folder = tempfile.mkdtemp(prefix="souk-wire-pg-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.count = 0
        self.as_user = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres")
            self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = os.path.join(self.folder, "data")
        self.tell("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        settings = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=200 -c deadlock_timeout=100ms"
        self.tell("pg_ctl", "-D", data, "-w", "-o", settings, "-l", os.path.join(self.folder, "log"), "start")
        atexit.register(self.stop)
        os.chmod(self.folder, 0o755)
        self.sql("CREATE ROLE souk LOGIN")

    def tell(self, program, *words):
        done = subprocess.run([*self.as_user, os.path.join(self.bin, program), *words], capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
        assert done.returncode == 0, (program, done.stderr)

    def sql(self, text):
        self.tell("psql", "-h", self.folder, "-U", "postgres", "-d", "postgres", "-q", "-c", text)

    def database(self):
        """The URL of a new one, owned by a role that owns nothing else."""
        with making:
            self.count += 1
            name = f"shop{self.count}"
        self.sql(f"CREATE DATABASE {name} OWNER souk TEMPLATE template0")
        return f"postgres://souk@/{name}?host={self.folder}"

    def stop(self):
        subprocess.run([*self.as_user, os.path.join(self.bin, "pg_ctl"), "-D", os.path.join(self.folder, "data"), "-m", "immediate", "stop"], capture_output=True, cwd="/")
        shutil.rmtree(self.folder, ignore_errors=True)


def database():
    global server
    with making:
        server = server or Server()
    return server.database()
