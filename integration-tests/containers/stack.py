"""The stack of compose.yaml, used as by an operator: compose, docker, and two published addresses."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

OWNER = "owner@example.org"
SERVICES = ("admin-service", "user-service")
# All are healthy after two health intervals of 5 s. Long enough for a busy machine.
HEALTHY_TIMEOUT_SECONDS = 120
# Deep changes after two failed checks in a row, one per second. Long enough for a busy machine.
HEALTH_CHANGE_TIMEOUT_SECONDS = 30


class Stack:
    """A compose project in a clone of the repository, with its own ports and image tags."""

    def __init__(self, clone: Path, project: str):
        self.clone = clone
        self.project = project
        self.addresses = {service: f"127.0.0.1:{_free_port()}" for service in SERVICES}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("STARTLIST_")} | {
            "COMPOSE_PROJECT_NAME": project,
            "STARTLIST_TAG": project,
            "STARTLIST_OWNER_EMAIL": OWNER,
            # One user makes all the changes of the load.
            "STARTLIST_CHANGES_PER_MINUTE": "0",
            "STARTLIST_ADMIN_PUBLISH": self.addresses["admin-service"],
            "STARTLIST_USER_PUBLISH": self.addresses["user-service"],
        }
        has_v2 = subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
        self._compose = ["docker", "compose"] if has_v2 else ["docker-compose"]

    def compose_version(self) -> str:
        return self.compose("version").stdout.decode().splitlines()[0]

    def compose(self, *arguments: str, stdin: bytes | None = None, check: bool = True) -> subprocess.CompletedProcess:
        """Runs compose with the arguments. The result has standard output and error as bytes."""
        return _run([*self._compose, *arguments], cwd=self.clone, env=self.environment, input=stdin, check=check,
                    stdin=subprocess.DEVNULL if stdin is None else None)

    def up(self) -> None:
        """Starts the stack; returns when all three containers are healthy."""
        self.compose("up", "-d")
        self.wait_until_healthy()

    def down(self, *options: str) -> None:
        self.compose("down", *options)

    def wait_until_healthy(self) -> None:
        for service in ("redis", *SERVICES):
            wait_until(lambda: self.state(service).get("Health", {}).get("Status") == "healthy",
                       f"{service} is healthy", HEALTHY_TIMEOUT_SECONDS)

    def container(self, service: str) -> str:
        """The id of the service's container, running or not."""
        return self.compose("ps", "-a", "-q", service).stdout.decode().strip()

    def inspect(self, service: str) -> dict:
        return json.loads(docker("inspect", self.container(service)))[0]

    def state(self, service: str) -> dict:
        return self.inspect(service)["State"]

    def secret(self, name: str) -> str:
        return (self.clone / "docker/secrets" / name).read_text()

    def channel(self, service: str) -> grpc.Channel:
        """A new channel to the published port."""
        return grpc.insecure_channel(self.addresses[service])

    def health(self, service: str, name: str) -> str:
        """The status that a new client outside receives: SERVING, NOT_SERVING, or the code of the error."""
        with self.channel(service) as channel:
            try:
                request = health_pb2.HealthCheckRequest(service=name)
                reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
            except grpc.RpcError as error:
                return error.code().name
        return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)

    def probe(self, service: str, name: str) -> int:
        """The exit code of the service's own probe, run in its container."""
        return subprocess.run(["docker", "exec", self.container(service), f"/{service}", "probe", "--service", name],
                              capture_output=True).returncode

    def wait_for(self, service: str, name: str, status: str) -> None:
        wait_until(lambda: self.health(service, name) == status, f"{name} of {service} is {status}",
                   HEALTH_CHANGE_TIMEOUT_SECONDS)

    def wait_until_deep(self) -> None:
        """Returns when deep is SERVING on both, for a client outside and for the probe inside."""
        for service in SERVICES:
            self.wait_for(service, "deep", "SERVING")
            assert self.probe(service, "deep") == 0, f"{service} probe --service deep did not end with 0"


def docker(*arguments: str) -> str:
    """The standard output of docker with the arguments."""
    return _run(["docker", *arguments], check=True, stdin=subprocess.DEVNULL).stdout.decode()


def wait_until(condition, sentence: str, seconds: float) -> None:
    """Returns when the condition holds. Fails with the sentence after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {sentence}"
        time.sleep(0.2)


def _run(command: list[str], check: bool, **options) -> subprocess.CompletedProcess:
    if options.get("input") is not None:
        options.pop("stdin")
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if check and ended.returncode != 0:
        output = (ended.stdout[-2000:] + ended.stderr[-4000:]).decode(errors="replace")
        raise AssertionError(f"{' '.join(command)} ended with {ended.returncode}:\n{output}")
    return ended


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
