"""Fixtures of all tests. The stubs are generated before the first test module imports them."""

import sys
import tempfile
from pathlib import Path

import pytest

import running
import stubs

OWNER = {"email": "owner@example.com", "password": "a start list of my own"}
_generated = tempfile.TemporaryDirectory(prefix="startlist-stubs-")


def pytest_configure() -> None:
    stubs.generate(Path(_generated.name))
    sys.path.insert(0, _generated.name)


def pytest_unconfigure() -> None:
    _generated.cleanup()


@pytest.fixture(scope="session")
def owner() -> dict[str, str]:
    """The credentials of the first owner."""
    return OWNER


@pytest.fixture(scope="session")
def startlist(tmp_path_factory):
    """A Startlist for all tests. Its only content at the start is the first owner."""
    folder = tmp_path_factory.mktemp("startlist")
    password_file = folder / "owner-password"
    password_file.write_text(OWNER["password"])
    settings = {
        "STARTLIST_DATA_DIR": str(folder / "data"),
        "STARTLIST_OWNER_EMAIL": OWNER["email"],
        "STARTLIST_OWNER_PASSWORD_FILE": str(password_file),
        "STARTLIST_CHANGES_PER_MINUTE": "0",
    }
    with running.startlist(folder, settings) as program:
        yield program


@pytest.fixture(scope="session")
def admin_channel(startlist):
    """A channel to admin-service."""
    with startlist.admin_channel() as channel:
        yield channel


@pytest.fixture(scope="session")
def user_channel(startlist):
    """A channel to user-service."""
    with startlist.user_channel() as channel:
        yield channel
