"""Health as clients of another make see it: the official stubs, grpcurl, the probe; and real faults."""

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import grpc
import pytest
import valkey
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from startlist.diagnostics.v1 import diagnostics_service_pb2 as diagnostics_api
from startlist.diagnostics.v1 import diagnostics_service_pb2_grpc as diagnostics_grpc

import running
from errors import refused

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
FULL_NAMES = {
    "admin-service": "startlist.admin.v1.AdminService",
    "user-service": "startlist.user.v1.UserService",
}
# What a kubelet gives a probe for everything.
PROBE_BUDGET_SECONDS = 1
# How long a test waits for what has to come: far more than it takes, also on a busy machine.
PATIENCE_SECONDS = 60


class Client:
    """Asks one server, by the official stubs."""

    def __init__(self, channel: grpc.Channel):
        self.channel = channel
        self.health = health_pb2_grpc.HealthStub(channel)

    def check(self, name: str) -> int:
        return self.health.Check(_request(name), timeout=PATIENCE_SECONDS).status

    def watch(self, name: str, timeout: float = PATIENCE_SECONDS) -> grpc.Call:
        return self.health.Watch(_request(name), timeout=timeout)

    def list(self) -> dict[str, int]:
        statuses = self.health.List(health_pb2.HealthListRequest()).statuses
        return {name: answer.status for name, answer in statuses.items()}

    def becomes(self, name: str, status: int) -> None:
        """Asks until it is so."""
        eventually(f"{name!r} is {status}", lambda: self.check(name) == status)

    def serves(self, *names: str) -> None:
        """Asks until these are SERVING and no others."""

        def is_so() -> bool:
            statuses = self.list()
            return {name for name in statuses if statuses[name] == SERVING} == set(names)

        eventually(f"SERVING are {names}", is_so)

    def answers_in_time(self) -> None:
        """Waits for two seconds in which no answer is late.

        On a busy machine one may be, through nobody's fault; what hangs is late every time.
        """

        def is_so() -> bool:
            until = time.monotonic() + 2
            while (began_at := time.monotonic()) < until:
                self.check("deep")
                if time.monotonic() - began_at >= PROBE_BUDGET_SECONDS:
                    return False
            return True

        eventually("every answer comes in time", is_so)


class Program:
    """A process of the test's own. It is killed when the test is over."""

    def __init__(self, command: list, folder: Path, settings: dict[str, str] = {}):
        self._log = folder / f"{Path(command[0]).name}.log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STARTLIST_")
        }
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment | settings, stdout=log, stderr=log
            )

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ended(self) -> int:
        """Waits for its end; the exit code."""
        return self._process.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        return self._log.read_text()


class Pair:
    """A Redis and both services, each a process that can be stopped and killed."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.ports = {name: running._free_port(0) for name in ("redis", *FULL_NAMES)}
        self.health_port = running._free_port(0)
        self.programs: dict[str, Program] = {}
        for name in self.ports:
            self.start(name)

    def start(self, name: str) -> None:
        """Starts it, also again."""
        if name == "redis":
            program = os.environ.get("STARTLIST_TEST_REDIS_SERVER", "redis-server")
            address = ["--bind", "127.0.0.1", "--port", str(self.ports[name])]
            durable = ["--appendonly", "yes", "--appendfsync", "always"]
            self.programs[name] = Program([program, *address, *durable], self._folder)
        else:
            (peer,) = FULL_NAMES.keys() - {name}
            settings = {
                f"STARTLIST_{name.split('-')[0].upper()}_LISTEN": f"127.0.0.1:{self.ports[name]}",
                "STARTLIST_PEER_URL": f"http://127.0.0.1:{self.ports[peer]}",
                "STARTLIST_REDIS_URL": f"redis://127.0.0.1:{self.ports['redis']}",
                "STARTLIST_LAME_DUCK": "1s",
            }
            if name == "user-service":
                settings["STARTLIST_HEALTH_LISTEN"] = f"127.0.0.1:{self.health_port}"
            self.programs[name] = Program([_binary(name)], self._folder, settings)

    def stop(self) -> None:
        for program in self.programs.values():
            program.kill()

    @contextmanager
    def client(self, name: str) -> Iterator[Client]:
        """A client that waits until the server is there."""
        with _connected(self.ports[name]) as client:
            yield client

    def probe_says(self, code: int, words: str, name: str, *arguments: str) -> None:
        """Runs the program's own probe until it says so; `here` stands for the address."""
        address = f"127.0.0.1:{self.ports[name]}"
        command = [_binary(name), "probe", "--address", address, *arguments]

        def is_so() -> bool:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
            said = done.stdout.replace(address, "here")
            return (done.returncode, said, done.stderr) == (code, f"{words}\n", "")

        eventually(f"{name} {arguments} says {words!r}", is_so)

    def pings(self) -> int:
        """How many PINGs Redis has answered."""
        with valkey.Valkey(port=self.ports["redis"]) as redis:
            return redis.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"]


@pytest.fixture
def pair(tmp_path):
    """Both services with everything SERVING."""
    pair = Pair(tmp_path)
    try:
        for name in FULL_NAMES:
            with pair.client(name) as client:
                client.becomes("deep", SERVING)
        yield pair
    finally:
        pair.stop()


@pytest.fixture(params=FULL_NAMES)
def server(request, startlist):
    """A client of each service in turn, with the service's full name."""
    is_admin = request.param == "admin-service"
    port = startlist.admin_port if is_admin else startlist.user_port
    with _connected(port) as client:
        client.becomes("deep", SERVING)
        yield client, request.param, port


def test_each_server_answers_its_seven_names(server):
    client, name, _ = server
    names = {"", FULL_NAMES[name], "liveness", "readiness", "deep", "redis", "peer"}
    assert client.list().keys() == names
    client.serves(*names)
    for known in names:
        client.becomes(known, SERVING)


def test_check_of_an_unknown_name_is_not_found(server):
    client, _, _ = server
    for unknown in ("startlist.test.v1.Other", "Deep", "*"):
        error = refused(client.health.Check, _request(unknown))
        assert error.code() == grpc.StatusCode.NOT_FOUND


def test_watch_of_an_unknown_name_says_so_and_stays_open(server):
    client, _, _ = server
    stream = client.watch("startlist.test.v1.Other", timeout=1)
    assert next(stream).status == SERVICE_UNKNOWN
    # The server does not end it: the client's deadline does.
    assert refused(next, stream).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_watch_answers_at_once(server):
    client, _, _ = server
    for name in client.list():
        assert read_until(SERVING, client.watch(name))


def test_reflection_shows_the_three_methods(server):
    client, _, _ = server
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(client.channel))
    health = pool.FindServiceByName("grpc.health.v1.Health")
    assert {method.name for method in health.methods} == {"Check", "List", "Watch"}


def test_the_health_report_needs_no_credential_and_names_both_servers(server):
    client, name, port = server
    diagnostics = diagnostics_grpc.DiagnosticsServiceStub(client.channel)
    report = diagnostics.GetHealthReport(diagnostics_api.GetHealthReportRequest())
    assert report.server.name == name
    assert {report.server.name, report.peer.name} == FULL_NAMES.keys()
    assert report.server.version == report.peer.version != ""
    assert {part.name for part in report.server.parts} == client.list().keys()
    assert str(port) not in str(report) and "127.0.0.1" not in str(report)


def test_a_client_with_health_in_its_service_config_finds_the_server_healthy(server):
    _, name, port = server
    for watched, healthy in ((FULL_NAMES[name], True), ("deep", True), ("unknown", False)):
        service_config = {
            "loadBalancingConfig": [{"round_robin": {}}],
            "healthCheckConfig": {"serviceName": watched},
        }
        options = [("grpc.service_config", json.dumps(service_config))]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            if healthy:
                call = stub.Check(_request(""), wait_for_ready=True, timeout=PATIENCE_SECONDS)
                assert call.status == SERVING
            else:
                assert refused(stub.Check, _request("")).code() == grpc.StatusCode.UNAVAILABLE


def test_grpcurl_asks_for_health(server):
    grpcurl = os.environ.get("STARTLIST_TEST_GRPCURL")
    if not grpcurl:
        pytest.skip("there is no grpcurl")
    _, name, port = server

    def answer(method: str, *data: str) -> dict:
        command = [grpcurl, "-plaintext", *data, f"127.0.0.1:{port}", method]
        return json.loads(subprocess.check_output(command, text=True, timeout=PATIENCE_SECONDS))

    deep = ["-d", '{"service": "deep"}']
    assert answer("grpc.health.v1.Health/Check", *deep) == {"status": "SERVING"}
    statuses = answer("grpc.health.v1.Health/List")["statuses"]
    assert statuses[FULL_NAMES[name]] == {"status": "SERVING"}
    report = answer("startlist.diagnostics.v1.DiagnosticsService/GetHealthReport")
    assert report["server"]["name"] == name


@pytest.mark.parametrize(
    ("fault", "end_of_fault"), [("kill", "start"), (signal.SIGSTOP, signal.SIGCONT)]
)
def test_without_redis_deep_is_down_and_readiness_stays_open(pair, fault, end_of_fault):
    with pair.client("user-service") as client:
        _begin(pair, "redis", fault)
        client.serves("", FULL_NAMES["user-service"], "liveness", "readiness", "peer")
        client.answers_in_time()
        _end(pair, "redis", end_of_fault)
        client.becomes("deep", SERVING)


@pytest.mark.parametrize(
    ("fault", "end_of_fault"), [("kill", "start"), (signal.SIGSTOP, signal.SIGCONT)]
)
def test_without_the_peer_deep_is_down_and_all_else_stays_up(pair, fault, end_of_fault):
    with pair.client("admin-service") as client:
        _begin(pair, "user-service", fault)
        client.serves("", FULL_NAMES["admin-service"], "liveness", "readiness", "redis")
        client.answers_in_time()
        _end(pair, "user-service", end_of_fault)
        client.becomes("deep", SERVING)


def test_a_storm_of_deep_checks_costs_redis_about_one_call_a_second(pair):
    with pair.client("user-service") as client, ThreadPoolExecutor(8) as threads:
        client.becomes("deep", SERVING)
        pings, began_at = pair.pings(), time.monotonic()
        answers = list(threads.map(lambda _: client.check("deep"), range(3000)))
        seconds = time.monotonic() - began_at
        assert SERVING in answers
        # Of either service: admin-service may still be asking, because the fixture asked it.
        assert pair.pings() - pings <= 2 * (3 + seconds / 0.9)


def test_a_server_that_is_told_to_end_says_so_and_ends_well(pair):
    names = ["", FULL_NAMES["admin-service"], "readiness", "deep", "liveness"]
    with pair.client("admin-service") as client, pair.client("user-service") as peer:
        watchers = {name: client.watch(name) for name in names}
        for watcher in watchers.values():
            assert read_until(SERVING, watcher)

        pair.programs["admin-service"].signal(signal.SIGTERM)
        # Each is told, and its stream ends.
        told = {name: [answer.status for answer in watchers[name]] for name in names}
        assert told.pop("liveness") == []
        assert {name: last for name, (*_, last) in told.items()} == dict.fromkeys(told, NOT_SERVING)

        # In the lame-duck time new connections are still taken.
        with _connected(pair.ports["admin-service"]) as late:
            assert late.check("") == NOT_SERVING
            assert late.check("liveness") == SERVING
        peer.becomes("deep", NOT_SERVING)
        assert peer.check("readiness") == SERVING
    assert pair.programs["admin-service"].ended() == 0


def test_the_probe_says_in_its_exit_code_and_one_line_how_the_server_is(pair):
    for name in FULL_NAMES:
        pair.probe_says(0, "deep is SERVING", name)
        pair.probe_says(0, "the server is SERVING", name, "--service", "")
        pair.probe_says(1, "here does not know the name \"moon\"", name, "--service", "moon")

    pair.programs["redis"].kill()
    pair.probe_says(1, "deep is NOT_SERVING: Redis is not serving", "user-service")
    pair.probe_says(0, "readiness is SERVING", "user-service", "--service", "readiness")

    pair.programs["user-service"].signal(signal.SIGSTOP)
    timeout = ["--service", "liveness", "--timeout", "500ms"]
    pair.probe_says(3, "no answer from here within 500ms", "user-service", *timeout)
    pair.programs["user-service"].kill()
    pair.probe_says(2, "cannot connect to here", "user-service")


def test_the_second_address_serves_health_and_nothing_else(pair):
    with _connected(pair.health_port) as client:
        client.becomes("deep", SERVING)
        diagnostics = diagnostics_grpc.DiagnosticsServiceStub(client.channel)
        error = refused(diagnostics.GetHealthReport, diagnostics_api.GetHealthReportRequest())
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_health_says_nothing_in_the_log(pair):
    with pair.client("user-service") as client:
        before = pair.programs["user-service"].said()
        for name in [*client.list(), "deep", "readiness"]:
            client.check(name)
        refused(client.health.Check, _request("unknown"))
        assert pair.programs["user-service"].said() == before


def eventually(what: str, is_so: Callable[[], bool]) -> None:
    """Waits until something is so."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, f"never: {what}"
        time.sleep(0.02)


def read_until(status: int, stream: grpc.Call) -> bool:
    """Whether the stream tells it before it ends."""
    return any(answer.status == status for answer in stream)


@contextmanager
def _connected(port: int) -> Iterator[Client]:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(PATIENCE_SECONDS)
        yield Client(channel)


def _request(name: str) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=name)


def _binary(name: str) -> Path:
    return running._binary().with_name(name)


def _begin(pair: Pair, name: str, fault) -> None:
    program = pair.programs[name]
    program.kill() if fault == "kill" else program.signal(fault)


def _end(pair: Pair, name: str, end_of_fault) -> None:
    pair.start(name) if end_of_fault == "start" else pair.programs[name].signal(end_of_fault)
