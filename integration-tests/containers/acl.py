#!/usr/bin/env python3
"""Proves docker/redis/users.acl: what each Redis user may touch, and nothing more.

    integration-tests/containers/acl.py [SERVER ...]

SERVER is a redis-server or valkey-server binary; without one, those on the PATH are taken.
For each of them a private server is started in a temporary folder with the rendered file, and every
row of the tables below is tried over a real connection as the user that it speaks of. Then the server
is killed and started again, and everything has to be there: Redis replays its file under these rules too.
Exit 0 if every row holds, 1 if not.
"""

import contextlib
import hashlib
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TEMPLATE = pathlib.Path(__file__).parents[2] / "docker" / "redis" / "users.acl"
# Each user and where the file wants the SHA-256 of its password.
USERS = {
    "admin-service": "@ADMIN_SERVICE_SHA256@",
    "user-service": "@USER_SERVICE_SHA256@",
    "doctor": "@DOCTOR_SHA256@",
}
SERVICES = ("admin-service", "user-service")

# What admin-service, user-service and doctor may do with each key: the table of docs/architecture.md.
# "rw" reads and writes, "r" reads, "a" reads and appends to a stream, "-" nothing.
KEYS = {
    "c:{spring}:meta": ("rw", "r", "r"),
    "c:{spring}:revision": ("rw", "rw", "r"),
    "c:{spring}:registrations": ("rw", "rw", "r"),
    "c:{spring}:past": ("rw", "rw", "r"),
    "c:{spring}:waitlist": ("rw", "rw", "r"),
    "c:{spring}:log": ("a", "a", "r"),
    "c:{spring}:seal": ("rw", "r", "r"),
    "c:{spring}:unheard-of": ("-", "-", "r"),
    "request:{spring}:5f0c": ("rw", "-", "r"),
    "catalogue:{00}": ("rw", "r", "r"),
    "catalogue:{1f}": ("rw", "r", "r"),
    "catalogue:{20}": ("-", "-", "r"),
    "directory:{0a}": ("r", "rw", "r"),
    "u:{7d1e}:profile": ("r", "rw", "r"),
    "u:{7d1e}:credential": ("-", "rw", "r"),
    "u:{7d1e}:sessions": ("-", "rw", "r"),
    "u:{7d1e}:competitions": ("-", "rw", "r"),
    "u:{7d1e}:added": ("rw", "rw", "r"),
    "u:{7d1e}:log": ("r", "rw", "r"),
    "u:{7d1e}:request:5f0c": ("-", "rw", "r"),
    "u:{7d1e}:throttle": ("-", "rw", "r"),
    "email:{9b2a}": ("r", "rw", "r"),
    "a:{41aa}:profile": ("rw", "-", "r"),
    "a:{41aa}:credential": ("rw", "-", "r"),
    "a:{41aa}:sessions": ("rw", "-", "r"),
    "a:{41aa}:throttle": ("rw", "-", "r"),
    "a:{41aa}:log": ("rw", "-", "r"),
    "a:{boot}": ("rw", "-", "r"),
    "a:{index}": ("rw", "-", "r"),
    "admin-email:{9b2a}": ("rw", "-", "r"),
    "installation:{key}": ("rw", "rw", "r"),
    "installation:{other}": ("-", "-", "r"),
    "unheard-of": ("-", "-", "r"),
}

# Commands that name no key, or whose key does not matter here.
ALL_MAY = ["PING", "TIME", "INFO server", "CONFIG GET appendonly", "SELECT 0", "CLIENT ID",
           "CLIENT SETNAME probe", "COMMAND COUNT"]
SERVICES_MAY = ["MULTI", "EXEC", "WAIT 0 1"]
NOBODY_MAY = ["FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG SET maxmemory 1", "CONFIG REWRITE", "ACL LIST",
              "ACL SETUSER intruder on", "SHUTDOWN NOSAVE", "SAVE", "BGSAVE",
              "BGREWRITEAOF", "REPLICAOF NO ONE", "MONITOR", "CLIENT LIST", "CLIENT KILL ID 999",
              "SCRIPT FLUSH", "SWAPDB 0 1", "MODULE LIST", "SLOWLOG GET", "PUBLISH channel word",
              "SUBSCRIBE channel", "EVAL return(0) 0", "FUNCTION FLUSH",
              "FCALL rule 0"]
SERVICES_MAY_NOT = ["SCAN 0", "RANDOMKEY", "SYNC", "BLPOP u:{7d1e}:added 1", "XREAD BLOCK 1 STREAMS c:{spring}:log 0"]

# Without a user, and as the default one.
NOBODY_SAYS = ["PING", "GET installation:{key}", "INFO", "AUTH default", "AUTH default default",
               "HELLO 2 AUTH default default"]

TAG = "local tag = string.match(KEYS[1], '^(c:{.-}:)')\n"
REGISTER = "#!lua\n" + TAG + """
redis.call('HGET', tag .. 'meta', 'title')
local revision = redis.call('INCR', KEYS[1])
redis.call('HSET', KEYS[2], 'user', revision)
redis.call('ZADD', KEYS[3], revision, 'user')
redis.call('XADD', KEYS[4], revision .. '-0', 'action', 'register')
return revision
"""
REGISTER_KEYS = ("c:{race}:revision", "c:{race}:registrations", "c:{race}:waitlist", "c:{race}:log")
ERASE_LOG = "#!lua\nreturn redis.call('DEL', KEYS[1])"
TRIM_LOG = "#!lua\nreturn redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)"
WRITE_META = "#!lua\n" + TAG + "return redis.call('SET', tag .. 'meta', 'mine')"
READ_LOG = "#!lua flags=no-writes\nreturn redis.call('XRANGE', KEYS[1], '-', '+')"


# How Redis and Valkey word a refusal: of a connection, of a command, and of a command in a script.
REFUSALS = ("NOAUTH", "WRONGPASS", "AUTH <password> called", "NOPERM", "ACL failure",
            "can't access at least one of the keys", "can't run this command")


class Refused(Exception):
    """Redis answered with an error; its text is the message."""

    def by_acl(self):
        """Whether the ACL said no: to the command itself, or to one that a script wanted to run."""
        return any(words in str(self) for words in REFUSALS)


class Connection:
    """One connection to the server's Unix socket, with as much of RESP2 as this needs."""

    def __init__(self, path, user=None, password=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")
        if user:
            self.call("AUTH", user, password)

    def call(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.answer()

    def answer(self):
        line = self.lines.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Refused(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.lines.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        return rest

    def allows(self, *words):
        """Whether the ACL lets the command pass; any other answer or error of Redis counts as passed."""
        try:
            self.call(*words)
        except Refused as refusal:
            return not refusal.by_acl()
        return True

    def allows_script(self, body, *keys, command="EVALSHA"):
        """The same for a script, which also has to end without an error of another kind."""
        sha = self.call("SCRIPT", "LOAD", body).decode()
        try:
            self.call(command, sha, len(keys), *keys)
        except Refused as refusal:
            if refusal.by_acl():
                return False
            raise
        return True


def rows(connect):
    """Every expectation as (sentence, what should be, what is)."""
    for column, user in enumerate(USERS):
        connection = connect(user)
        for key, rights in KEYS.items():
            right = rights[column]
            stream = key.startswith("c:") and key.endswith(":log")
            read = ("XRANGE", key, "-", "+") if stream else ("GET", key)
            write = ("SET", key, "word")
            yield f"{user} reads {key}", right != "-", connection.allows(*read)
            yield f"{user} writes {key}", right == "rw", connection.allows(*write)
            yield f"{user} deletes {key}", right == "rw", connection.allows("DEL", key)
            if stream:
                append = ("XADD", key, "*", "field", "word")
                yield f"{user} appends to {key}", right == "a", connection.allows(*append)
                yield f"{user} trims {key}", False, connection.allows("XTRIM", key, "MAXLEN", 0)

        for line in ALL_MAY:
            yield f"{user} says {line}", True, connect(user).allows(*line.split())
        for line in NOBODY_MAY:
            yield f"{user} says {line}", False, connect(user).allows(*line.split())

    for user in SERVICES:
        connection = connect(user)
        for line in SERVICES_MAY:
            yield f"{user} says {line}", True, connection.allows(*line.split())
        for line in SERVICES_MAY_NOT:
            yield f"{user} says {line}", False, connect(user).allows(*line.split())
        yield f"{user} runs a registering script", True, connection.allows_script(REGISTER, *REGISTER_KEYS)
        yield f"{user} erases a log by script", False, connection.allows_script(ERASE_LOG, "c:{race}:log")
        yield f"{user} trims a log by script", False, connection.allows_script(TRIM_LOG, "c:{race}:log")
        yield f"{user} reads a log by script", True, connection.allows_script(
            READ_LOG, "c:{race}:log", command="EVALSHA_RO")
    admin, user, doctor = (connect(name) for name in USERS)
    yield "admin-service writes meta by script", True, admin.allows_script(WRITE_META, "c:{race}:revision")
    yield "user-service writes meta by script", False, user.allows_script(WRITE_META, "c:{race}:revision")
    yield "user-service passes meta in KEYS", False, user.allows_script(WRITE_META, "c:{race}:meta")
    yield "doctor runs a reading script", True, doctor.allows_script(READ_LOG, "c:{race}:log", command="EVALSHA_RO")
    yield "doctor runs a writing script", False, doctor.allows_script(REGISTER, *REGISTER_KEYS)
    yield "doctor lists the keys", True, doctor.allows("SCAN", 0)

    for line in NOBODY_SAYS:
        yield f"nobody says {line}", False, connect(None).allows(*line.split())


def check(server):
    """Runs all rows against one server binary; gives back how many held and how many did not."""
    with tempfile.TemporaryDirectory(prefix="startlist-acl-") as folder:
        folder = pathlib.Path(folder)
        rules = TEMPLATE.read_text()
        for user, placeholder in USERS.items():
            assert rules.count(placeholder) == 1, f"{placeholder} stands once in {TEMPLATE}"
            rules = rules.replace(placeholder, hashlib.sha256(f"secret of {user}".encode()).hexdigest())
        (folder / "users.acl").write_text(rules)

        def connect(user):
            return Connection(folder / "socket", user, f"secret of {user}")

        with running(server, folder):
            results = [(f"{sentence}: {'allowed' if found else 'refused'}", expected == found)
                       for sentence, expected, found in rows(connect)]
            before = contents(connect("doctor"))
        with running(server, folder):
            after = contents(connect("doctor"))
    assert {key.encode() for key in REGISTER_KEYS} <= set(before), "the script that registers has written its keys"
    results.append((f"{len(before)} keys before a kill, {len(after)} after it", before == after))
    for sentence, held in results:
        if not held:
            print(f"FAILED: {sentence}")
    held = sum(held for _, held in results)
    return held, len(results) - held


@contextlib.contextmanager
def running(server, folder):
    """Runs the server on its append-only file in the folder, and kills it at the end of the block."""
    log = folder / "log"
    process = subprocess.Popen(
        [server, "--port", "0", "--unixsocket", str(folder / "socket"), "--aclfile", str(folder / "users.acl"),
         "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always", "--save", "",
         "--logfile", str(log)])
    try:
        while not (log.exists() and "ready to accept connections" in log.read_text().lower()):
            if process.poll() is not None:
                sys.exit(f"{server} did not start: {log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()
        log.unlink()


def contents(doctor):
    """Every key with its value, in the form that DUMP gives it."""
    return {key: doctor.call("DUMP", key.decode()) for key in doctor.call("SCAN", 0, "COUNT", 10_000)[1]}


def main():
    servers = sys.argv[1:] or [path for path in map(shutil.which, ("redis-server", "valkey-server")) if path]
    if not servers:
        sys.exit("acl: there is no redis-server and no valkey-server on the PATH")
    passed = failed = 0
    for server in servers:
        version = subprocess.run([server, "--version"], capture_output=True, text=True).stdout.split(" sha=")[0]
        held, wrong = check(server)
        print(f"{version}: {held} passed, {wrong} failed")
        passed, failed = passed + held, failed + wrong
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
