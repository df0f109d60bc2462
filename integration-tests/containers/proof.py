"""The steps of `run`, in their order. Each is a sentence about the stack, and fails with an assertion.

All steps share one stack. If a step fails, the later ones still run, unless one of the first three fails, which make
the stack.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import clients
import standins
from stack import SERVICES, Stack, docker, wait_until

REPOSITORY = standins.REPOSITORY
KEEP = os.environ.get("KEEP") == "1"
LARGEST_IMAGE_BYTES = 25_000_000
# The files that Docker adds to every container. They are not in the image.
MADE_BY_DOCKER = {".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"}
SECRETS = ("redis_admin_service_password", "redis_user_service_password", "redis_doctor_password", "owner_password")
OTHER = dict(zip(SERVICES, reversed(SERVICES)))
PORTS = dict(zip(SERVICES, (50051, 50052)))


class Proof:
    """The steps, and their shared state."""

    def __init__(self, folder: Path):
        self.clone = folder / "startlist"
        self.stack: Stack
        self.owner: clients.Owner
        # The images that the engine has, by their pinned names.
        self.present: dict[str, str] = {}
        self.project = f"startlist-proof-{os.getpid()}"

    # The first three steps make the stack.

    def base_images(self):
        """the base images exist, real ones or stand-ins"""
        for name in (standins.RUST, standins.REDIS, standins.VALKEY):
            self.present[name] = standins.provide(name)
        return f"stand-ins: {', '.join(self._stand_ins()) or 'none'}"

    def images(self):
        """the images build from a clean clone"""
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(self.clone)], check=True)
        standins.use(self.present, self.clone)
        subprocess.run([self.clone / "docker/make-secrets"], check=True, stdout=subprocess.DEVNULL)
        self.stack = Stack(self.clone, self.project)
        self.stack.compose("build")
        return self.stack.compose_version()

    def healthy(self):
        """up starts Redis before the services, and all are healthy, deep is SERVING, and the owner can sign in"""
        self.stack.up()
        self.stack.wait_until_deep()
        started = {service: self.stack.state(service)["StartedAt"] for service in ("redis", *SERVICES)}
        assert all(started["redis"] < started[service] for service in SERVICES), started
        self.owner = clients.Owner(self.stack)

    # Properties of the stack.

    def main_story(self):
        """the main story works through the published ports"""
        clients.run_story(self.stack)
        return f"{len(self.owner.records())} records"

    def small(self):
        """each image is one static binary without a shell, of at most 25 MB"""
        sizes = []
        for service in SERVICES:
            image = f"startlist/{service}:{self.project}"
            size = int(docker("image", "inspect", "--format", "{{.Size}}", image))
            assert size <= LARGEST_IMAGE_BYTES, f"{image} has {size} bytes"
            container = docker("create", image).strip()
            try:
                listing = subprocess.run(f"docker export {container} | tar -t", shell=True, check=True,
                                         capture_output=True, text=True).stdout.split()
            finally:
                docker("rm", container)
            files = {name for name in listing if not name.endswith("/")} - MADE_BY_DOCKER
            assert files == {service}, f"{image} holds {files}"
            sizes.append(f"{service} {size / 1e6:.1f} MB")
        return ", ".join(sizes)

    def confined(self):
        """every container runs without root, capabilities, new privileges or a writable root, within limits"""
        for service, user in (("redis", "999:999"), *((service, "65532:65532") for service in SERVICES)):
            inspected = self.stack.inspect(service)
            config, host = inspected["Config"], inspected["HostConfig"]
            assert config["User"] == user, (service, config["User"])
            assert host["ReadonlyRootfs"] and not host["Privileged"], service
            assert host["CapDrop"] == ["ALL"] and not host["CapAdd"], service
            assert host["SecurityOpt"] == ["no-new-privileges:true"], service
            assert host["Memory"] > 0 and host["PidsLimit"] > 0, service
            assert host["RestartPolicy"]["Name"] == "unless-stopped", service
            status = Path(f"/proc/{inspected['State']['Pid']}/status")
            if status.exists():
                found = dict(re.findall(r"^(\w+):\t(\S+)", status.read_text(), re.M))
                assert int(found["CapEff"], 16) == 0 and found["NoNewPrivs"] == "1", (service, found)
                assert found["Uid"] == user.split(":")[0], (service, found["Uid"])

    def secrets_are_files(self):
        """no password is in an environment, a command line, an image or a log"""
        images = [f"startlist/{service}:{self.project}" for service in SERVICES]
        seen = [docker("image", "inspect", image) + docker("history", "--no-trunc", image) for image in images]
        for service in ("redis", *SERVICES):
            container = self.stack.container(service)
            seen += [docker("inspect", container), docker("top", container, "-eo", "pid,args"),
                     self.stack.compose("logs", service).stdout.decode()]
        for name in SECRETS:
            assert not any(self.stack.secret(name) in text for text in seen), name
        mounted = {service: sorted(mount["Destination"].removeprefix("/run/secrets/")
                                   for mount in self.stack.inspect(service)["Mounts"]
                                   if mount["Destination"].startswith("/run/secrets/")) for service in SERVICES}
        assert mounted == {"admin-service": ["owner_password", "redis_admin_service_password"],
                           "user-service": ["redis_user_service_password"]}, mounted

    def networks(self):
        """only the two services reach Redis, and each service is reached only from its own network"""
        assert not self.stack.inspect("redis")["HostConfig"]["PortBindings"]
        for service in SERVICES:
            bindings = sum(self.stack.inspect(service)["HostConfig"]["PortBindings"].values(), [])
            assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"], bindings
        redis = self.stack.inspect("redis")["NetworkSettings"]["Networks"]
        assert set(redis) == {f"{self.project}_inside"}, redis
        redis_address = redis[f"{self.project}_inside"]["IPAddress"]
        for network in ("admin", "user"):
            for host in ("redis", redis_address):
                answer = self._beside(network, "timeout", "3", "redis-cli", "-h", host, "PING")
                assert "PONG" not in answer and "NOAUTH" not in answer, f"from {network}, {host} replied {answer}"
        assert "NOAUTH" in self._beside("inside", "redis-cli", "-h", "redis", "PING")
        for service in SERVICES:
            network, other = (name.removesuffix("-service") for name in (service, OTHER[service]))
            assert self._probe_from(network, service) == 0, f"{service} is not reached from {network}"
            assert self._probe_from(other, service) != 0, f"{service} is reached from {other}"

    # Faults.

    def redis_killed(self):
        """Redis is killed under load: base stays SERVING, deep recovers, and no acknowledged change is lost"""
        with clients.Load(self.stack, "Dora") as load:
            wait_until(lambda: len(load.acknowledged) > 100, "100 changes are acknowledged", 30)
            docker("kill", self.stack.container("redis"))
            for service in SERVICES:
                self.stack.wait_for(service, "deep", "NOT_SERVING")
                assert self.stack.health(service, "") == "SERVING", f"{service} is down with Redis"
                assert self.stack.health(service, "peer") == "SERVING", f"{service} lost its peer"
            docker("start", self.stack.container("redis"))
            self.stack.wait_until_healthy()
            self.stack.wait_until_deep()
            before = len(load.acknowledged)
            wait_until(lambda: len(load.acknowledged) > before + 100, "changes are acknowledged again", 30)
        lost = load.acknowledged - self.owner.log()
        assert not lost, f"{len(lost)} acknowledged changes are not in the log: {sorted(lost)[:5]}"
        return f"{len(load.acknowledged)} acknowledged, {load.refused} refused, 0 lost"

    def crashes(self):
        """each container is restarted when its process is killed"""
        records = self.owner.records()
        for service in ("redis", *SERVICES):
            # From another container, because after docker kill the engine does not restart the container.
            kill = f"kill -9 {self.stack.state(service)['Pid']}"
            docker("run", "--rm", "--pid=host", "--user=0", "--entrypoint=sh", self.present[standins.REDIS],
                   "-c", kill)
            wait_until(lambda: self.stack.inspect(service)["RestartCount"] == 1, f"{service} is restarted", 30)
            self.stack.wait_until_healthy()
        self.stack.wait_until_deep()
        assert self.owner.records() == records

    def service_killed(self):
        """a service is killed: the other one keeps working, with base SERVING and deep NOT_SERVING"""
        self._lose("user-service", lambda container: docker("kill", container))
        self._lose("admin-service", lambda container: docker("kill", container))

    def service_stopped(self):
        """a service is stopped: the same, and it ends with exit code 0"""
        for service in SERVICES:
            self._lose(service, lambda container: docker("stop", container), exit_code=0)

    def service_paused(self):
        """a service is paused: the other one has base SERVING, and its deep check still takes less than a second"""
        for service in SERVICES:
            other, container = OTHER[service], self.stack.container(service)
            docker("pause", container)
            try:
                self.stack.wait_for(other, "deep", "NOT_SERVING")
                start = time.monotonic()
                assert self.stack.health(other, "deep") == "NOT_SERVING"
                took = time.monotonic() - start
                assert took < 1, f"deep took {took:.2f} s"
                assert self.stack.health(other, "") == "SERVING"
            finally:
                docker("unpause", container)
            self.stack.wait_until_deep()

    def disconnected(self):
        """a container is disconnected from its network and connected again: deep recovers"""
        records = self.owner.records()
        network = f"{self.project}_inside"
        for service in ("redis", *SERVICES):
            container = self.stack.container(service)
            watched = SERVICES if service == "redis" else (OTHER[service],)
            docker("network", "disconnect", network, container)
            for watching in watched:
                self.stack.wait_for(watching, "deep", "NOT_SERVING")
                assert self.stack.health(watching, "") == "SERVING"
            docker("network", "connect", "--alias", service, network, container)
            self.stack.wait_until_deep()
        assert self.owner.records() == records

    # Operations.

    def stop(self):
        """stop drains: every change in progress is acknowledged and stored, and all three end with exit code 0"""
        with clients.Load(self.stack, "Emil") as load:
            wait_until(lambda: len(load.acknowledged) > 50, "50 changes are acknowledged", 30)
            self.stack.compose("stop")
        codes = {service: self.stack.state(service)["ExitCode"] for service in ("redis", *SERVICES)}
        assert set(codes.values()) == {0}, codes
        self.stack.up()
        made = {change for change in self.owner.log() if change[1] == load.user_id}
        assert made == load.acknowledged, f"acknowledged and not stored, or the reverse: {made ^ load.acknowledged}"
        return f"{len(made)} acknowledged, {load.refused} refused"

    def down_and_up(self):
        """down and up with the same volume keep every record"""
        records = self.owner.records()
        self.stack.down()
        self.stack.up()
        self.stack.wait_until_deep()
        assert self.owner.records() == records

    def upgrade(self):
        """each service is replaced while the other one stays SERVING"""
        for service in SERVICES:
            before = self.stack.container(service)
            with clients.HealthWatch(self.stack, OTHER[service]) as watch:
                self.stack.compose("up", "-d", "--no-deps", "--force-recreate", service)
                assert self.stack.container(service) != before
                self.stack.wait_until_healthy()
            assert set(watch.statuses) == {"SERVING"}, f"{OTHER[service]} was {watch.statuses}"
        self.stack.wait_until_deep()

    def backup(self):
        """a backup of the running system is restored into an empty volume with every record"""
        records = self.owner.records()
        backup = self.stack.compose("exec", "-T", "redis", "sh", "/etc/startlist/backup").stdout
        self.owner.create_competition("after-the-backup")
        refused = self._restore(backup)
        assert refused.returncode == 1 and b"Redis is running" in refused.stderr, refused.stderr
        self.stack.down("--volumes")
        for broken in (b"", backup[:-100], backup + b"more"):
            refused = self._restore(broken)
            assert refused.returncode == 1 and b"is incomplete or damaged" in refused.stderr, refused.stderr
        restored = self._restore(backup)
        assert restored.returncode == 0, restored.stderr
        self.stack.up()
        self.stack.wait_until_deep()
        assert self.owner.records() == records
        return f"{len(backup)} bytes"

    def valkey(self):
        """Valkey reads the volume of Redis, after a change of one line of compose.yaml"""
        records = self.owner.records()
        self.stack.down()
        file = self.clone / "compose.yaml"
        redis, valkey = (self.present[name] for name in (standins.REDIS, standins.VALKEY))
        file.write_text(file.read_text().replace(redis, valkey))
        self.stack.up()
        self.stack.wait_until_deep()
        server = self.stack.compose("exec", "-T", "redis", "sh", "/etc/startlist/as-doctor", "INFO", "server").stdout
        assert b"valkey_version" in server, server
        assert self.owner.records() == records
        with clients.Load(self.stack, "Finn") as load:
            wait_until(lambda: len(load.acknowledged) > 20, "20 changes are acknowledged", 30)
        assert load.acknowledged <= self.owner.log()

    NEEDED = (base_images, images, healthy)
    STEPS = (*NEEDED, main_story, small, confined, secrets_are_files, networks, redis_killed, crashes,
             service_killed, service_stopped, service_paused, disconnected, stop, down_and_up, upgrade, backup, valkey)

    def clean_up(self):
        """Removes what the steps made. The Debian systems in target/containers stay for the next run."""
        if hasattr(self, "stack"):
            self.stack.compose("down", "--volumes", "--remove-orphans", check=False)
        for image in [*(f"startlist/{service}:{self.project}" for service in SERVICES), *self._stand_ins()]:
            subprocess.run(["docker", "image", "rm", image], capture_output=True)
        # The stages of a build, and the remains of a failed one, have the label of their base image.
        for kind in ("container", "image"):
            subprocess.run(["docker", kind, "prune", "--force", "--filter", f"label={standins.LABEL}"],
                           capture_output=True)

    def _stand_ins(self) -> list[str]:
        return [present for pinned, present in self.present.items() if present != pinned]

    def _lose(self, service: str, how, exit_code: int | None = None) -> None:
        """Ends a service with `how`, checks the other one, and starts the service again."""
        other, container = OTHER[service], self.stack.container(service)
        how(container)
        if exit_code is not None:
            assert self.stack.state(service)["ExitCode"] == exit_code, self.stack.state(service)
        self.stack.wait_for(other, "deep", "NOT_SERVING")
        for name in ("", "readiness", "liveness", "redis"):
            assert self.stack.health(other, name) == "SERVING", f"{name or 'base'} of {other} is down with its peer"
        if other == "admin-service":
            self.owner.create_competition(f"alone-{time.time_ns()}")
        docker("start", container)
        self.stack.wait_until_deep()

    def _restore(self, backup: bytes) -> subprocess.CompletedProcess:
        return self.stack.compose("run", "--rm", "-T", "redis", "sh", "/etc/startlist/restore",
                                  stdin=backup, check=False)

    def _beside(self, network: str, *command: str) -> str:
        """The output of a command in another container on one of the networks of the stack."""
        ended = subprocess.run(["docker", "run", "--rm", f"--network={self.project}_{network}",
                                self.present[standins.REDIS], *command], capture_output=True, text=True)
        return ended.stdout + ended.stderr

    def _probe_from(self, network: str, service: str) -> int:
        """The exit code of a probe from another container on one of the networks of the stack."""
        return subprocess.run(["docker", "run", "--rm", f"--network={self.project}_{network}",
                               f"startlist/{service}:{self.project}", "probe", "--address",
                               f"{service}:{PORTS[service]}"],
                              capture_output=True).returncode


def main() -> None:
    os.umask(0o022)
    # Runs the clean-up, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="startlist-containers-"))
    proof = Proof(folder)
    passed = failed = 0
    try:
        for step in Proof.STEPS:
            start = time.monotonic()
            try:
                note = step(proof)
                passed += 1
                verdict = "ok    "
            except Exception as error:
                note = error if isinstance(error, AssertionError) else traceback.format_exc()
                failed += 1
                verdict = "FAILED"
            took = f"{time.monotonic() - start:.1f} s"
            print(f"{verdict} {step.__doc__} ({took}{f'; {note}' if note else ''})")
            if verdict == "FAILED" and step in Proof.NEEDED:
                print("       the other steps were not run")
                break
        if failed and hasattr(proof, "stack"):
            logs = proof.stack.compose("logs", "--tail", "40", check=False).stdout.decode()
            print(f"The last lines of the containers' logs:\n{logs}")
    finally:
        if KEEP:
            print(f"kept: project {proof.project} in {proof.clone}")
        else:
            proof.clean_up()
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
