"""Extracts the tutorial from the README and runs it.

A fenced block that opens with ```sh story contains commands. All commands run in one bash, from top to
bottom, in an empty folder in which `startlist` was started without settings except its ports, so that its
data is in ./.startlist. The first command that fails ends the run.

A block that opens with ```json story shows the output of the commands above it: each of its lines must be
in that output, in this order. A line with an ellipsis stands for any omitted lines.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|json) story\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GRPCURL = re.compile(r"^[^#\n]*\bgrpcurl\b", re.MULTILINE)
# The ports in the README, of admin-service and user-service.
PORTS = (50051, 50052)
STORY_TIMEOUT_SECONDS = 120


@dataclass
class Scene:
    """Commands, and the lines that they must print."""

    commands: str
    prints: str = ""

    def count_calls(self) -> int:
        """The number of lines that call grpcurl."""
        return len(_GRPCURL.findall(self.commands))

    def missing_from(self, output: str) -> str | None:
        """The first line that is missing in the output."""
        lines = (line.strip() for line in output.splitlines())
        for wanted in self.prints.splitlines():
            # `in` consumes the iterator, so each line is searched after the one before it.
            if "…" not in wanted and wanted.strip() not in lines:
                return wanted
        return None


def scenes(readme: str) -> list[Scene]:
    """The scenes of a README, from top to bottom."""
    found: list[Scene] = []
    for language, text in _BLOCK.findall(readme):
        if language == "sh":
            found.append(Scene(commands=text))
        else:
            found[-1].prints += text
    return found


def perform(story: list[Scene], folder: Path) -> list[str]:
    """Runs the commands in the folder, and returns the output of each scene."""
    outputs = [folder / f"scene-{number}.out" for number in range(len(story))]
    parts = [f"exec >{path}\n{scene.commands}" for path, scene in zip(outputs, story)]
    bash = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(parts)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=STORY_TIMEOUT_SECONDS,
        check=False,
    )
    if bash.returncode != 0:
        last = max(number for number, path in enumerate(outputs) if path.exists())
        raise AssertionError(f"these commands failed:\n{story[last].commands}\n{bash.stderr}")
    return [path.read_text() for path in outputs]


def with_ports(story: list[Scene], ports: dict[int, int]) -> list[Scene]:
    """The story with other ports, for a machine on which its own are in use."""

    def replaced(text: str) -> str:
        return re.sub(r":(\d+)\b", lambda port: f":{ports.get(int(port[1]), port[1])}", text)

    return [Scene(replaced(scene.commands), scene.prints) for scene in story]
