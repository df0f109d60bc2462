"""Runs the real `startlist`, with a private Redis, in a folder of the test."""

import os
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import grpc

REPOSITORY = Path(__file__).resolve().parents[2]
# Starting and stopping take at most a second on an idle machine.
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 60


class Startlist:
    """A running `startlist`: both services and their Redis."""

    def __init__(self, folder: Path, settings: dict[str, str], wanted_ports: tuple[int, int]):
        self.admin_port, self.user_port = map(_free_port, wanted_ports)
        self.output: list[str] = []
        self._ready_or_ended = threading.Event()
        self._log = folder / "startlist.log"
        environment = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        environment |= settings
        environment["STARTLIST_ADMIN_LISTEN"] = f"127.0.0.1:{self.admin_port}"
        environment["STARTLIST_USER_LISTEN"] = f"127.0.0.1:{self.user_port}"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [binary("startlist")],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_until_ready(self) -> None:
        """Returns once both services are SERVING."""
        self._ready_or_ended.wait(START_TIMEOUT_SECONDS)
        assert any(line.startswith("ready") for line in self.output), self._report("is not ready")

    def stop(self) -> None:
        """Ends it as Ctrl-C does, and expects exit code 0."""
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(self._report("did not end")) from None
        assert status == 0, self._report(f"ended with {status}")

    def admin_channel(self) -> grpc.Channel:
        """A new connection to admin-service."""
        return grpc.insecure_channel(f"127.0.0.1:{self.admin_port}")

    def user_channel(self) -> grpc.Channel:
        """A new connection to user-service."""
        return grpc.insecure_channel(f"127.0.0.1:{self.user_port}")

    def _read(self) -> None:
        """Reads every line, so that the program never blocks on a full pipe."""
        for line in self._process.stdout:
            self.output.append(line)
            if line.startswith("ready"):
                self._ready_or_ended.set()
        self._ready_or_ended.set()

    def _report(self, what: str) -> str:
        return f"startlist {what}; its output:\n{''.join(self.output)}\n{self._log.read_text()}"


@contextmanager
def startlist(
    folder: Path, settings: dict[str, str], wanted_ports: tuple[int, int] = (0, 0)
) -> Iterator[Startlist]:
    """Runs it in the folder until the block ends. The settings are environment variables.

    The ports are those of admin-service and user-service. A port that is 0 or in use is replaced by a free one.
    """
    program = Startlist(folder, settings, wanted_ports)
    try:
        program.wait_until_ready()
        yield program
    finally:
        program.stop()


def binary(name: str) -> Path:
    """The path of a built binary. `STARTLIST_BIN` names another `startlist`, with the services next to it."""
    built = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "startlist"
    return Path(os.environ.get("STARTLIST_BIN", built)).with_name(name)


def _is_setting(name: str) -> bool:
    """Whether a variable is a setting of Startlist, which must not reach the program that is tested."""
    return name.startswith("STARTLIST_") and not name.startswith("STARTLIST_TEST_")


def _free_port(wanted: int) -> int:
    """The wanted port if it is free, and any free port otherwise."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise AssertionError("there is no free port")
