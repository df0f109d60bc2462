"""Runs `startlist`, the real program, with a private Redis in a folder of the test's own."""

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
# Each takes a second at most on a quiet machine.
READY_WITHIN_SECONDS = 60
ENDED_WITHIN_SECONDS = 60


class Startlist:
    """Both services on one machine, ready for calls."""

    def __init__(self, folder: Path, settings: dict[str, str], wanted_ports: tuple[int, int]):
        self.admin_port, self.user_port = map(_free_port, wanted_ports)
        self.said: list[str] = []
        self._ready_or_ended = threading.Event()
        self._log = folder / "startlist.log"
        environment = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        environment |= settings
        environment["STARTLIST_ADMIN_LISTEN"] = f"127.0.0.1:{self.admin_port}"
        environment["STARTLIST_USER_LISTEN"] = f"127.0.0.1:{self.user_port}"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [_binary()],
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
        self._ready_or_ended.wait(READY_WITHIN_SECONDS)
        assert any(line.startswith("ready") for line in self.said), self._report("is not ready")

    def stop(self) -> None:
        """Asks it to end, as Ctrl-C does, and expects a clean end."""
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(ENDED_WITHIN_SECONDS)
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
        """Takes every line, so that the program never waits for a reader."""
        for line in self._process.stdout:
            self.said.append(line)
            if line.startswith("ready"):
                self._ready_or_ended.set()
        self._ready_or_ended.set()

    def _report(self, what: str) -> str:
        return f"startlist {what}; it said:\n{''.join(self.said)}\n{self._log.read_text()}"


@contextmanager
def startlist(
    folder: Path, settings: dict[str, str], wanted_ports: tuple[int, int] = (0, 0)
) -> Iterator[Startlist]:
    """Runs it in the folder until the block ends. The settings are environment variables.

    The ports are admin-service's and user-service's; 0, or one that is taken, becomes a free one.
    """
    program = Startlist(folder, settings, wanted_ports)
    try:
        program.wait_until_ready()
        yield program
    finally:
        program.stop()


def _binary() -> Path:
    named = os.environ.get("STARTLIST_BIN")
    built = Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "debug" / "startlist"
    return Path(named) if named else REPOSITORY / built


def _is_setting(name: str) -> bool:
    """A setting of the machine that the tests run on must not change what they see."""
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
    raise AssertionError("this machine has no free port")
