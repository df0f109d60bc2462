"""The base images of the Dockerfile and compose.yaml, also on a machine whose engine cannot pull images.

An image that the engine has or can pull is used unchanged. For any other image a stand-in is made from Debian (by
debootstrap) and this machine's Rust toolchain, or Debian's Redis or Valkey. The images are pinned by digest, which no
stand-in can have, so it has a name of its own, and `use` writes that name into a clone of the repository.

The stand-in for the Rust image contains the crates that this machine has downloaded, and keeps cargo offline, because
a container may not reach the registry. The rest of the Dockerfile is the same in both cases.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Debian systems as tar files, so that a second run is fast. Git ignores them.
CACHE = REPOSITORY / "target" / "containers"
# The packages of all stand-ins of this Debian, which share one tar file.
BOOKWORM = "ca-certificates,gcc,libc6-dev,make,redis-server"
MIRROR = "http://deb.debian.org/debian"
LABEL = "org.startlist.stand-in"
# A pull that takes longer has no connection to a registry.
PULL_TIMEOUT_SECONDS = 600

RUST = re.search(r"^ARG RUST_IMAGE=(\S+)", (REPOSITORY / "docker/Dockerfile").read_text(), re.M)[1]
_compose = (REPOSITORY / "compose.yaml").read_text()
REDIS = re.search(r"STARTLIST_REDIS_IMAGE:-(\S+)}", _compose)[1]
VALKEY = re.search(r"(valkey/valkey:\S+@\S+)", _compose)[1]


def provide(name: str) -> str:
    """Ensures that the engine has this image or a stand-in. Returns its name: another one if it is a stand-in, which
    the caller removes."""
    stand_in = "stand-in-" + name.partition("@")[0].rpartition("/")[2]
    for existing in (name, stand_in):
        if subprocess.run(["docker", "image", "inspect", existing], capture_output=True).returncode == 0:
            return existing
    try:
        pulled = subprocess.run(["docker", "pull", "--quiet", name], capture_output=True, timeout=PULL_TIMEOUT_SECONDS)
        if pulled.returncode == 0:
            return name
    except subprocess.TimeoutExpired:
        pass
    {RUST: _rust, REDIS: _redis, VALKEY: _valkey}[name](stand_in)
    return stand_in


def use(images: dict[str, str], clone: Path) -> None:
    """Replaces each pinned image by the one that the engine has, in the files of a clone."""
    for file in (clone / "docker/Dockerfile", clone / "compose.yaml"):
        text = file.read_text()
        for pinned, present in images.items():
            text = text.replace(pinned, present)
        file.write_text(text)


def _rust(name: str) -> None:
    """Debian with a linker and a C library, the toolchain of this machine, and the crates that it has downloaded."""
    plain = _debian("bookworm", BOOKWORM)
    toolchain = Path(_output("rustc", "--print", "sysroot"))
    host = re.search(r"^host: (\S+)", _output("rustc", "-vV"), re.M)[1]
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=REPOSITORY, check=True)
    whole = CACHE / "rust.tar"
    try:
        subprocess.run(["cp", plain, whole], check=True)
        _append(whole, "usr/local", toolchain, "bin/rustc", "bin/cargo", f"lib/rustlib/{host}",
                *(library.relative_to(toolchain) for library in toolchain.glob("lib/*.so*")))
        _append(whole, "usr/local/cargo", cargo_home, "registry/cache", "registry/index")
        _import(whole, name, "ENV CARGO_HOME=/usr/local/cargo", "ENV CARGO_NET_OFFLINE=true")
    finally:
        whole.unlink(missing_ok=True)


def _redis(name: str) -> None:
    _import(_debian("bookworm", BOOKWORM), name, "VOLUME /data", "WORKDIR /data")


def _valkey(name: str) -> None:
    """From a later Debian, because bookworm has no Valkey."""
    _import(_debian("trixie", "valkey-server"), name, "VOLUME /data", "WORKDIR /data")


def _debian(suite: str, packages: str) -> Path:
    """A tar file of a minimal Debian with these packages, and with the /data of the official Redis images."""
    tar = CACHE / f"{suite}.tar"
    if tar.exists():
        return tar
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run([REPOSITORY / "tools/install-package", "debootstrap", "debootstrap", "debootstrap"]
                   if not _has("debootstrap") else ["true"], check=True)
    unfinished = CACHE / f"{suite}.unfinished"
    script = """
        set -eu
        folder=$(mktemp -d)
        trap 'rm -rf "$folder"' EXIT
        debootstrap --variant=minbase --include="$2" "$1" "$folder" "$3" > "$4.log" 2>&1 || { tail "$4.log"; exit 1; }
        rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* "$folder"/usr/share/doc
        install -d -o 999 -g 999 "$folder/data"
        tar -C "$folder" -cf "$4" .
        chown "$5" "$4" "$4.log"
    """
    subprocess.run([*_as_root(), "sh", "-c", script, "sh", suite, packages, MIRROR, unfinished, str(os.getuid())],
                   check=True)
    unfinished.rename(tar)
    return tar


def _append(tar: Path, prefix: str, folder: Path, *names) -> None:
    """Adds names of the folder to the tar file, below the prefix."""
    subprocess.run(["tar", "-C", folder, "-rf", tar, "--owner=0", "--group=0", f"--transform=s,^,./{prefix}/,",
                    "--dereference", *names], check=True)


def _import(tar: Path, name: str, *changes: str) -> None:
    options = [word for change in (f"LABEL {LABEL}=yes", *changes) for word in ("--change", change)]
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    subprocess.run(["docker", "import", *options, "--change", path, tar, name], check=True, stdout=subprocess.DEVNULL)


def _as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def _has(program: str) -> bool:
    return subprocess.run(["sh", "-c", f"command -v {program}"], stdout=subprocess.DEVNULL).returncode == 0


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    for image in sys.argv[1:] or (RUST, REDIS, VALKEY):
        print(f"{image}: {provide(image)}")
