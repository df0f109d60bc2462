"""The Python stubs of the contract, generated from proto/ by grpcio-tools."""

from importlib import resources
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"


def generate(folder: Path) -> None:
    """Writes the modules of all packages that begin with `startlist` into the folder."""
    files = sorted(str(file.relative_to(PROTO)) for file in PROTO.glob("startlist/**/*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTO}",
            f"--proto_path={well_known}",
            f"--python_out={folder}",
            f"--grpc_python_out={folder}",
            *files,
        ]
    )
    assert status == 0, f"protoc ended with {status}"
