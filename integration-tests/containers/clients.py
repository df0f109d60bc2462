"""Clients outside of the containers: the main story, all records for a comparison, and a steady load."""

import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import stubs  # noqa: E402

_generated = tempfile.TemporaryDirectory(prefix="startlist-stubs-")
stubs.generate(Path(_generated.name))
sys.path.insert(0, _generated.name)

import story  # noqa: E402
from startlist.admin.v1 import admin_service_pb2 as admin_api  # noqa: E402
from startlist.admin.v1 import admin_service_pb2_grpc as admin_grpc  # noqa: E402
from startlist.user.v1 import user_service_pb2_grpc as user_grpc  # noqa: E402
from startlist.v1.competition_pb2 import Competition  # noqa: E402
from startlist.v1.registration_pb2 import RegistrationState  # noqa: E402

from stack import OWNER, Stack  # noqa: E402

DAY = story.DAY
# The codes of a change that an earlier call has made whose reply was lost.
SETTLED = (grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


def run_story(stack: Stack) -> None:
    """Runs the main story of integration-tests/python through the published ports."""
    owner = {"email": OWNER, "password": stack.secret("owner_password")}
    with stack.channel("admin-service") as admin, stack.channel("user-service") as user:
        story.run(admin, user, owner)


class Owner:
    """The first owner, signed in once. The session is stored in Redis and survives every restart."""

    def __init__(self, stack: Stack):
        self.stack = stack
        with stack.channel("admin-service") as channel:
            organiser = story.Organiser(
                admin_grpc.AdminServiceStub(channel), OWNER, stack.secret("owner_password"))
        self.credential = organiser.credential

    def records(self) -> list[str]:
        """Everything that an owner can read. Equal lists mean that nothing changed."""
        competitions = self._all("ListCompetitions", admin_api.ListCompetitionsRequest(), "competitions")
        every_state = [value for value in RegistrationState.values() if value]
        found = [*competitions]
        for competition in competitions:
            named = {"competition_id": competition.competition_id}
            found += self._all("ListRegistrations",
                               admin_api.ListRegistrationsRequest(states=every_state, **named), "entries")
            found += self._all("ListAuditEntries", admin_api.ListAuditEntriesRequest(**named), "entries")
        found += self._all("ListUsers", admin_api.ListUsersRequest(), "users")
        found += self._all("ListAdmins", admin_api.ListAdminsRequest(), "admins")
        return [str(message) for message in found]

    def log(self) -> set[tuple[int, str]]:
        """The log of the competition of the story, as pairs of revision and user id."""
        request = admin_api.ListAuditEntriesRequest(competition_id=story.COMPETITION_ID)
        return {(entry.revision, entry.user_id) for entry in self._all("ListAuditEntries", request, "entries")}

    def create_competition(self, competition_id: str) -> None:
        """Creates a draft, which does not need user-service."""
        competition = Competition(
            title="Created while a service was down", venue="Market Square", country_code="CH",
            starts_at=story.from_now(30 * DAY), ends_at=story.from_now(31 * DAY),
            registration_opens_at=story.from_now(-DAY), registration_closes_at=story.from_now(29 * DAY))
        self._call("CreateCompetition", admin_api.CreateCompetitionRequest(
            competition=competition, competition_id=competition_id))

    def _all(self, rpc: str, request, field: str) -> list:
        """Reads all pages of a list."""
        request.page_size = 200
        found = []
        while True:
            reply = self._call(rpc, request)
            found += getattr(reply, field)
            if not reply.next_page_token:
                return found
            request.page_token = reply.next_page_token

    def _call(self, rpc: str, request):
        with self.stack.channel("admin-service") as channel:
            call = getattr(admin_grpc.AdminServiceStub(channel), rpc)
            return call(request, metadata=self.credential, timeout=10)


class _Repeated:
    """Repeats an action in a thread until the block ends."""

    def __init__(self):
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join(30)

    def _repeat(self) -> None:
        while not self._end.is_set():
            self._once()


class HealthWatch(_Repeated):
    """Checks the base health of a service repeatedly. `statuses` counts the results."""

    def __init__(self, stack: Stack, service: str):
        super().__init__()
        self.statuses: Counter[str] = Counter()
        self._check = lambda: stack.health(service, "")

    def _once(self) -> None:
        self.statuses[self._check()] += 1
        self._end.wait(0.05)


class Load(_Repeated):
    """A user who registers and withdraws without a pause.

    `acknowledged` has the revision and the user id of each change that was acknowledged.
    """

    def __init__(self, stack: Stack, name: str):
        super().__init__()
        self.acknowledged: set[tuple[int, str]] = set()
        self.refused = 0
        runner = story.Runner(user_grpc.UserServiceStub(stack.channel("user-service")), name)
        self.user_id = runner.user_id
        self._calls = [runner.register, runner.withdraw]

    def _once(self) -> None:
        """Makes one change. Any error is possible while containers are killed; the next reply shows its effect."""
        try:
            registration = self._calls[0]()
            self.acknowledged.add((registration.revision, registration.user_id))
            self._calls.reverse()
        except grpc.RpcError as error:
            self.refused += 1
            if error.code() in SETTLED:
                self._calls.reverse()
            self._end.wait(0.05)
