"""Takes the story out of the README and runs it.

The convention: a fenced block that opens with ```sh story holds commands. All of them run in one
bash, from top to bottom, in an empty folder in which `startlist` was started with no settings but its
ports, so that what it keeps in ./.startlist is at hand. The first command that fails ends the story.

A block that opens with ```json story shows what the commands above it print: each of its lines has
to be in their output, in that order. Lines with an ellipsis stand for whatever is left out.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|json) story\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GRPCURL = re.compile(r"^[^#\n]*\bgrpcurl\b", re.MULTILINE)
# The ports that the README names: admin-service's and user-service's.
PORTS = (50051, 50052)
STORY_WITHIN_SECONDS = 120


@dataclass
class Scene:
    """Commands, and the lines that they print."""

    commands: str
    prints: str = ""

    def count_calls(self) -> int:
        """How many lines call grpcurl."""
        return len(_GRPCURL.findall(self.commands))

    def missing_from(self, output: str) -> str | None:
        """The first line that should be in the output and is not."""
        lines = (line.strip() for line in output.splitlines())
        for wanted in self.prints.splitlines():
            # The search goes on where it stopped: an iterator remembers.
            if "…" not in wanted and wanted.strip() not in lines:
                return wanted
        return None


def scenes(readme: str) -> list[Scene]:
    """The story of a README, from top to bottom."""
    found: list[Scene] = []
    for language, text in _BLOCK.findall(readme):
        if language == "sh":
            found.append(Scene(commands=text))
        else:
            found[-1].prints += text
    return found


def perform(story: list[Scene], folder: Path) -> list[str]:
    """Runs the commands in the folder, and answers what each scene printed."""
    outputs = [folder / f"scene-{number}.out" for number in range(len(story))]
    parts = [f"exec >{path}\n{scene.commands}" for path, scene in zip(outputs, story)]
    bash = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(parts)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=STORY_WITHIN_SECONDS,
        check=False,
    )
    if bash.returncode != 0:
        last = max(number for number, path in enumerate(outputs) if path.exists())
        raise AssertionError(f"these commands failed:\n{story[last].commands}\n{bash.stderr}")
    return [path.read_text() for path in outputs]


def with_ports(story: list[Scene], ports: dict[int, int]) -> list[Scene]:
    """The story with other ports, for a machine on which those that it names are taken."""

    def replaced(text: str) -> str:
        return re.sub(r":(\d+)\b", lambda port: f":{ports.get(int(port[1]), port[1])}", text)

    return [Scene(replaced(scene.commands), scene.prints) for scene in story]
