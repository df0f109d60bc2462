"""What clients outside of the containers do: the main story, records to compare, and a steady load.

The story itself is the one of integration-tests/python, told here to two published ports.
"""

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

import test_story  # noqa: E402
from startlist.admin.v1 import admin_service_pb2 as admin_api  # noqa: E402
from startlist.admin.v1 import admin_service_pb2_grpc as admin_grpc  # noqa: E402
from startlist.user.v1 import user_service_pb2_grpc as user_grpc  # noqa: E402
from startlist.v1.competition_pb2 import Competition  # noqa: E402
from startlist.v1.registration_pb2 import RegistrationState  # noqa: E402

from stack import OWNER, Stack  # noqa: E402

DAY = test_story.DAY
# Answers to a change that was made already, by a call whose own answer was lost.
SETTLED = (grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND)


def tell(stack: Stack) -> None:
    """The main story on a new system: two places, three people, one who withdraws."""
    owner = {"email": OWNER, "password": stack.secret("owner_password")}
    with stack.channel("admin-service") as admin, stack.channel("user-service") as user:
        test_story.test_who_waits_gets_the_place_of_who_withdraws(admin, user, owner)


class Owner:
    """The first admin, signed in once; the session lives in Redis and outlasts every restart."""

    def __init__(self, stack: Stack):
        self.stack = stack
        with stack.channel("admin-service") as channel:
            organiser = test_story.Organiser(
                admin_grpc.AdminServiceStub(channel), OWNER, stack.secret("owner_password"))
        self.credential = organiser.credential

    def records(self) -> list[str]:
        """Everything that an owner can see, message by message: equal lists mean that nothing changed."""
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
        """The log of the story's competition, as pairs of revision and user id."""
        request = admin_api.ListAuditEntriesRequest(competition_id=test_story.COMPETITION_ID)
        return {(entry.revision, entry.user_id) for entry in self._all("ListAuditEntries", request, "entries")}

    def create_competition(self, competition_id: str) -> None:
        """Makes a draft, which needs nothing of user-service."""
        competition = Competition(
            title="Made while the other one was away", venue="Market Square", country_code="CH",
            starts_at=test_story.from_now(30 * DAY), ends_at=test_story.from_now(31 * DAY),
            registration_opens_at=test_story.from_now(-DAY), registration_closes_at=test_story.from_now(29 * DAY))
        self._call("CreateCompetition", admin_api.CreateCompetitionRequest(
            competition=competition, competition_id=competition_id))

    def _all(self, rpc: str, request, field: str) -> list:
        """All pages of a list."""
        request.page_size = 200
        found = []
        while True:
            answer = self._call(rpc, request)
            found += getattr(answer, field)
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    def _call(self, rpc: str, request):
        with self.stack.channel("admin-service") as channel:
            call = getattr(admin_grpc.AdminServiceStub(channel), rpc)
            return call(request, metadata=self.credential, timeout=10)


class _Repeated:
    """Does something again and again in a thread of its own, until the block ends."""

    def __init__(self):
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join(30)

    def _go_on(self) -> None:
        while not self._end.is_set():
            self._once()


class Asking(_Repeated):
    """Somebody who asks a service for its base health all the time; `heard` counts the answers."""

    def __init__(self, stack: Stack, service: str):
        super().__init__()
        self.heard: Counter[str] = Counter()
        self._ask = lambda: stack.health(service, "")

    def _once(self) -> None:
        self.heard[self._ask()] += 1
        self._end.wait(0.05)


class Load(_Repeated):
    """Somebody who registers and withdraws without a pause; `acknowledged` holds revision and user id of each change."""

    def __init__(self, stack: Stack, name: str):
        super().__init__()
        self.acknowledged: set[tuple[int, str]] = set()
        self.refused = 0
        person = test_story.Competitor(user_grpc.UserServiceStub(stack.channel("user-service")), name)
        self.user_id = person.user_id
        self._calls = [person.register, person.withdraw]

    def _once(self) -> None:
        """Any error may come while things are killed; what it left behind is settled by the next answer."""
        try:
            registration = self._calls[0]()
            self.acknowledged.add((registration.revision, registration.user_id))
            self._calls.reverse()
        except grpc.RpcError as error:
            self.refused += 1
            if error.code() in SETTLED:
                self._calls.reverse()
            self._end.wait(0.05)
