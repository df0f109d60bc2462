"""The main story through generated stubs: a competition with two places and three users."""

import time

from google.protobuf.timestamp_pb2 import Timestamp
from startlist.admin.v1 import admin_service_pb2 as admin_api
from startlist.admin.v1 import admin_service_pb2_grpc as admin_grpc
from startlist.admin.v1.audit_entry_pb2 import AuditAction
from startlist.user.v1 import user_service_pb2 as user_api
from startlist.user.v1 import user_service_pb2_grpc as user_grpc
from startlist.v1.competition_pb2 import Competition, CompetitionState
from startlist.v1.registration_pb2 import Registration, RegistrationState

COMPETITION_ID = "city-run"
DAY = 24 * 60 * 60
CONFIRMED = RegistrationState.REGISTRATION_STATE_CONFIRMED
WAITLISTED = RegistrationState.REGISTRATION_STATE_WAITLISTED
WITHDRAWN = RegistrationState.REGISTRATION_STATE_WITHDRAWN


def run(admin_channel, user_channel, owner) -> None:
    """Runs the story on a system that has this owner and no competition of this id."""
    organiser = Organiser(admin_grpc.AdminServiceStub(admin_channel), **owner)
    organiser.create_competition(capacity=2)
    published = organiser.publish()
    assert published.state == CompetitionState.COMPETITION_STATE_PUBLISHED

    users = user_grpc.UserServiceStub(user_channel)
    ada, ben, cleo = (Runner(users, name) for name in ("Ada", "Ben", "Cleo"))
    assert [outcome(runner.register()) for runner in (ada, ben, cleo)] == [
        (CONFIRMED, None),
        (CONFIRMED, None),
        (WAITLISTED, 1),
    ]

    assert outcome(ada.withdraw()) == (WITHDRAWN, None)
    assert outcome(cleo.registration()) == (CONFIRMED, None)
    assert outcome(ada.registration()) == (WITHDRAWN, None)

    assert organiser.registered() == [("ben@example.com", CONFIRMED), ("cleo@example.com", CONFIRMED)]
    competition = organiser.competition()
    assert (competition.confirmed_count, competition.waitlisted_count) == (2, 0)
    log = organiser.audit_entries()
    assert [(entry.action, entry.user_id) for entry in log] == [
        (AuditAction.AUDIT_ACTION_COMPETITION_CREATED, ""),
        (AuditAction.AUDIT_ACTION_COMPETITION_PUBLISHED, ""),
        (AuditAction.AUDIT_ACTION_REGISTERED, ada.user_id),
        (AuditAction.AUDIT_ACTION_REGISTERED, ben.user_id),
        (AuditAction.AUDIT_ACTION_REGISTERED, cleo.user_id),
        (AuditAction.AUDIT_ACTION_WITHDRAWN, ada.user_id),
        (AuditAction.AUDIT_ACTION_PROMOTED, cleo.user_id),
    ]
    assert log[-1].actor.WhichOneof("id") is None, "a promotion has no actor"
    assert [entry.revision for entry in log] == list(range(1, competition.revision + 1))


class Organiser:
    """An admin who organises the competition of this story."""

    def __init__(self, service: admin_grpc.AdminServiceStub, email: str, password: str):
        self.service = service
        signed_in = service.SignIn(admin_api.SignInRequest(email=email, password=password))
        self.credential = bearer(signed_in.session_token)

    def create_competition(self, capacity: int) -> None:
        competition = Competition(
            title="City Run",
            venue="Market Square",
            country_code="CH",
            starts_at=from_now(30 * DAY),
            ends_at=from_now(31 * DAY),
            registration_opens_at=from_now(-DAY),
            registration_closes_at=from_now(29 * DAY),
            capacity=capacity,
        )
        request = admin_api.CreateCompetitionRequest(
            competition=competition, competition_id=COMPETITION_ID
        )
        self.service.CreateCompetition(request, metadata=self.credential)

    def publish(self) -> Competition:
        request = admin_api.PublishCompetitionRequest(competition_id=COMPETITION_ID)
        return self.service.PublishCompetition(request, metadata=self.credential).competition

    def competition(self) -> Competition:
        request = admin_api.GetCompetitionRequest(competition_id=COMPETITION_ID)
        return self.service.GetCompetition(request, metadata=self.credential).competition

    def registered(self) -> list[tuple[str, RegistrationState]]:
        """The confirmed and waiting users, in the order of revision."""
        request = admin_api.ListRegistrationsRequest(competition_id=COMPETITION_ID)
        entries = self.service.ListRegistrations(request, metadata=self.credential).entries
        return [(entry.email, entry.registration.state) for entry in entries]

    def audit_entries(self) -> list:
        request = admin_api.ListAuditEntriesRequest(competition_id=COMPETITION_ID)
        return list(self.service.ListAuditEntries(request, metadata=self.credential).entries)


class Runner:
    """A user, and their registration for the competition of this story."""

    def __init__(self, service: user_grpc.UserServiceStub, name: str):
        self.service = service
        request = user_api.SignUpRequest(
            email=f"{name.lower()}@example.com",
            password=f"{name} likes to run far",
            display_name=name,
        )
        signed_up = service.SignUp(request)
        self.user_id = signed_up.user.user_id
        self.credential = bearer(signed_up.session_token)

    def register(self) -> Registration:
        request = user_api.RegisterRequest(competition_id=COMPETITION_ID)
        return self.service.Register(request, metadata=self.credential).registration

    def withdraw(self) -> Registration:
        request = user_api.WithdrawRequest(competition_id=COMPETITION_ID)
        return self.service.Withdraw(request, metadata=self.credential).registration

    def registration(self) -> Registration:
        request = user_api.GetMyRegistrationRequest(competition_id=COMPETITION_ID)
        return self.service.GetMyRegistration(request, metadata=self.credential).registration


def outcome(registration: Registration) -> tuple[RegistrationState, int | None]:
    """The state, and the position on the waitlist if there is one."""
    waits = registration.HasField("waitlist_position")
    return registration.state, registration.waitlist_position if waits else None


def bearer(session_token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {session_token}")]


def from_now(seconds: int) -> Timestamp:
    return Timestamp(seconds=int(time.time()) + seconds)
