"""Errors and reflection as clients of other languages see them."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from startlist.admin.v1 import admin_service_pb2 as admin_api
from startlist.admin.v1 import admin_service_pb2_grpc as admin_grpc
from startlist.user.v1 import user_service_pb2 as user_api
from startlist.user.v1 import user_service_pb2_grpc as user_grpc

from errors import detail, reason, refused


@pytest.fixture
def admins(admin_channel):
    return admin_grpc.AdminServiceStub(admin_channel)


@pytest.fixture
def users(user_channel):
    return user_grpc.UserServiceStub(user_channel)


def test_a_call_without_a_credential_is_unauthenticated(admins, users):
    for error in (
        refused(admins.GetMe, admin_api.GetMeRequest()),
        refused(users.GetMe, user_api.GetMeRequest()),
    ):
        assert error.code() == grpc.StatusCode.UNAUTHENTICATED
        assert reason(error) == "UNAUTHENTICATED"


def test_a_wrong_password_and_an_unknown_email_look_alike(admins, owner):
    wrong_password = admin_api.SignInRequest(email=owner["email"], password="not the password")
    unknown_email = admin_api.SignInRequest(email="nobody@example.com", password="not the password")
    first, second = (refused(admins.SignIn, request) for request in (wrong_password, unknown_email))
    assert first.code() == second.code() == grpc.StatusCode.UNAUTHENTICATED
    assert reason(first) == reason(second) == "UNAUTHENTICATED"
    assert first.details() == second.details()


def test_every_wrong_field_is_listed(users):
    request = user_api.SignUpRequest(email="nobody", password="short", country_code="XX")
    error = refused(users.SignUp, request)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == "INVALID_FIELDS"
    violations = detail(error, error_details_pb2.BadRequest).field_violations
    wrong = {violation.field for violation in violations}
    assert wrong == {"email", "password", "display_name", "country_code"}


def test_an_absent_competition_is_named(users):
    error = refused(users.GetCompetition, user_api.GetCompetitionRequest(competition_id="moon-run"))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert reason(error) == "COMPETITION_NOT_FOUND"
    missing = detail(error, error_details_pb2.ResourceInfo)
    assert (missing.resource_type, missing.resource_name) == ("startlist.v1.Competition", "moon-run")


def test_reflection_lists_the_services(admin_channel, user_channel):
    for channel, own in (
        (admin_channel, "startlist.admin.v1.AdminService"),
        (user_channel, "startlist.user.v1.UserService"),
    ):
        services = set(ProtoReflectionDescriptorDatabase(channel).get_services())
        assert {own, "grpc.health.v1.Health"} <= services
