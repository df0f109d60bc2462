"""Conformance of health: the official stubs, a client that balances by health, grpcurl, and the probe.

The behaviour under faults is tested in integration-tests/tests/health.
"""

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from startlist.diagnostics.v1 import diagnostics_service_pb2 as diagnostics_api
from startlist.diagnostics.v1 import diagnostics_service_pb2_grpc as diagnostics_grpc

import running
from errors import refused

SERVING = health_pb2.HealthCheckResponse.SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
FULL_NAMES = {
    "admin-service": "startlist.admin.v1.AdminService",
    "user-service": "startlist.user.v1.UserService",
}
# Far longer than anything takes, also on a busy machine.
TIMEOUT_SECONDS = 60


class Server:
    """One of the two services, and the official health stub on a connection to it."""

    def __init__(self, name: str, port: int, channel: grpc.Channel):
        self.name = name
        self.address = f"127.0.0.1:{port}"
        self.channel = channel
        self.health = health_pb2_grpc.HealthStub(channel)

    def check(self, service: str) -> int:
        return self.health.Check(_request(service), timeout=TIMEOUT_SECONDS).status

    def list(self) -> dict[str, int]:
        statuses = self.health.List(health_pb2.HealthListRequest()).statuses
        return {name: reply.status for name, reply in statuses.items()}


@pytest.fixture(params=FULL_NAMES)
def server(request, startlist):
    """Each service in turn, with everything SERVING."""
    is_admin = request.param == "admin-service"
    port = startlist.admin_port if is_admin else startlist.user_port
    with startlist.admin_channel() if is_admin else startlist.user_channel() as channel:
        server = Server(request.param, port, channel)
        _eventually("deep is SERVING", lambda: server.check("deep") == SERVING)
        yield server


def test_each_server_has_its_seven_names(server):
    names = {"", FULL_NAMES[server.name], "liveness", "readiness", "deep", "redis", "peer"}
    _eventually("all are SERVING", lambda: server.list() == dict.fromkeys(names, SERVING))
    for name in names:
        _eventually(f"{name} is SERVING", lambda: server.check(name) == SERVING)
        watched = server.health.Watch(_request(name), timeout=TIMEOUT_SECONDS)
        assert any(reply.status == SERVING for reply in watched)


def test_check_of_an_unknown_name_is_not_found(server):
    for unknown in ("startlist.test.v1.Other", "Deep", "*"):
        error = refused(server.health.Check, _request(unknown))
        assert error.code() == grpc.StatusCode.NOT_FOUND


def test_watch_of_an_unknown_name_reports_it_and_stays_open(server):
    stream = server.health.Watch(_request("startlist.test.v1.Other"), timeout=1)
    assert next(stream).status == SERVICE_UNKNOWN
    # The deadline of the client ends the stream, and not the server.
    assert refused(next, stream).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_health_report_needs_no_credential_and_has_both_servers(server):
    diagnostics = diagnostics_grpc.DiagnosticsServiceStub(server.channel)
    report = diagnostics.GetHealthReport(diagnostics_api.GetHealthReportRequest())
    assert report.server.name == server.name
    assert {report.server.name, report.peer.name} == FULL_NAMES.keys()
    assert report.server.version == report.peer.version != ""
    assert {part.name for part in report.server.parts} == server.list().keys()
    assert server.address not in str(report) and "127.0.0.1" not in str(report)


def test_a_client_that_balances_by_health_uses_a_healthy_server_only(server):
    for service, is_healthy in ((FULL_NAMES[server.name], True), ("deep", True), ("unknown", False)):
        service_config = {
            "loadBalancingConfig": [{"round_robin": {}}],
            "healthCheckConfig": {"serviceName": service},
        }
        options = [("grpc.service_config", json.dumps(service_config))]
        with grpc.insecure_channel(server.address, options) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            if is_healthy:
                reply = stub.Check(_request(""), wait_for_ready=True, timeout=TIMEOUT_SECONDS)
                assert reply.status == SERVING
            else:
                assert refused(stub.Check, _request("")).code() == grpc.StatusCode.UNAVAILABLE


def test_grpcurl_reads_health_and_the_report(server):
    grpcurl = os.environ.get("STARTLIST_TEST_GRPCURL")
    if not grpcurl:
        pytest.skip("grpcurl is not installed")

    def call(method: str, *data: str) -> dict:
        command = [grpcurl, "-plaintext", *data, server.address, method]
        return json.loads(subprocess.check_output(command, text=True, timeout=TIMEOUT_SECONDS))

    deep = ["-d", '{"service": "deep"}']
    assert call("grpc.health.v1.Health/Check", *deep) == {"status": "SERVING"}
    statuses = call("grpc.health.v1.Health/List")["statuses"]
    assert statuses[FULL_NAMES[server.name]] == {"status": "SERVING"}
    report = call("startlist.diagnostics.v1.DiagnosticsService/GetHealthReport")
    assert report["server"]["name"] == server.name


def test_the_probe_prints_one_line_and_ends_with_the_code_of_the_status(server):
    with _silent_listener() as silent, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
        for address, arguments, code, line in (
            (server.address, [], 0, "deep is SERVING"),
            (server.address, ["--service", ""], 0, "the server is SERVING"),
            (server.address, ["--service", "moon"], 1, f'{server.address} does not know the name "moon"'),
            (nobody, [], 2, f"cannot connect to {nobody}"),
            (silent, ["--timeout", "500ms"], 3, f"no answer from {silent} within 500ms"),
        ):
            probe = [running.binary(server.name), "probe", "--address", address, *arguments]
            done = subprocess.run(probe, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
            assert (done.returncode, done.stdout, done.stderr) == (code, f"{line}\n", "")


@contextmanager
def _silent_listener() -> Iterator[str]:
    """The address of a server that accepts connections and never replies."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _eventually(what: str, holds) -> None:
    """Returns when the condition holds. On a busy machine one deep check may miss its deadline."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {TIMEOUT_SECONDS} s: {what}"
        time.sleep(0.02)


def _request(service: str) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)
