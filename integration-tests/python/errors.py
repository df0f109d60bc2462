"""Errors as clients of other languages receive them: a code, and the details of google.rpc."""

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def refused(call, *arguments, **options) -> grpc.RpcError:
    """Makes a call that must fail, and returns its error."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value


def detail(error: grpc.RpcError, kind: type[Message]) -> Message:
    """The one detail of this kind."""
    found = [packed for packed in rpc_status.from_call(error).details if packed.Is(kind.DESCRIPTOR)]
    assert len(found) == 1, f"{len(found)} x {kind.DESCRIPTOR.full_name} in {error}"
    unpacked = kind()
    found[0].Unpack(unpacked)
    return unpacked


def reason(error: grpc.RpcError) -> str:
    """The reason in ErrorInfo, after a check of the details that all errors have."""
    info = detail(error, error_details_pb2.ErrorInfo)
    assert info.domain == "startlist"
    assert detail(error, error_details_pb2.RequestInfo).request_id
    return info.reason
