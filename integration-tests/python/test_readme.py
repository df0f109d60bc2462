"""The tutorial of the README, run as written there, with the real grpcurl."""

import os
import shutil

import pytest

import readme
import running
from readme import Scene

README = running.REPOSITORY / "README.md"
GRPCURL = shutil.which(os.environ.get("STARTLIST_TEST_GRPCURL") or "grpcurl")


@pytest.mark.skipif(GRPCURL is None, reason="grpcurl is not installed")
def test_the_tutorial_of_the_readme_works_as_written(tmp_path, monkeypatch):
    story = readme.scenes(README.read_text())
    calls = sum(scene.count_calls() for scene in story)
    assert calls >= 8, f"only {calls} calls were found in the README: are its blocks still marked?"

    monkeypatch.setenv("PATH", os.path.dirname(GRPCURL), prepend=os.pathsep)
    with running.startlist(tmp_path, settings={}, wanted_ports=readme.PORTS) as program:
        ports = dict(zip(readme.PORTS, (program.admin_port, program.user_port)))
        outputs = readme.perform(readme.with_ports(story, ports), tmp_path)
    for scene, output in zip(story, outputs):
        missing = scene.missing_from(output)
        assert missing is None, f"{missing!r} is missing in the output of:\n{scene.commands}\n{output}"


SAMPLE = """
Not part of the story:
```sh
make run
```
The story:
```sh story
WHO=ada
# grpcurl in a comment is not a call
grpcurl() { echo "{"; echo "  \\"who\\": \\"$1\\","; echo "  \\"at\\": 1"; echo "}"; }
grpcurl $WHO
```
It answers:
```json story
{
  "who": "ada",
  …
}
```
```sh story
TOKEN=$(grpcurl $WHO | sed -n 's/.*"at"/at/p')
echo "$TOKEN" localhost:50051
```
"""


def test_a_story_runs_in_one_shell_and_each_scene_has_its_own_output(tmp_path):
    first, second = readme.scenes(SAMPLE)
    assert (first.count_calls(), second.count_calls()) == (2, 1)
    outputs = readme.perform([first, second], tmp_path)
    assert first.missing_from(outputs[0]) is None
    assert outputs[1] == "at: 1 localhost:50051\n"


def test_lines_must_be_printed_in_their_order():
    scene = Scene(commands="", prints="one\n…\nthree\n")
    assert scene.missing_from("one\n  two\n  three\n") is None
    assert scene.missing_from("three\none\n") == "three"
    assert scene.missing_from("") == "one"


def test_a_command_that_fails_ends_the_story(tmp_path):
    story = [Scene("echo first\n"), Scene("false | cat\n"), Scene("echo never\n")]
    with pytest.raises(AssertionError, match="these commands failed:\nfalse | cat"):
        readme.perform(story, tmp_path)
    assert not (tmp_path / "scene-2.out").exists()


def test_only_the_ports_of_the_services_are_replaced():
    story = [Scene("grpcurl a:50051 b:50052 c:500510 50051\n")]
    moved = readme.with_ports(story, {50051: 50052, 50052: 1})
    assert moved[0].commands == "grpcurl a:50052 b:1 c:500510 50051\n"
