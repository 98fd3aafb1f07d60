"""What `fastbatch run` takes for inputs."""

import os

import pytest

from fastbatch import sample
from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import counts, reference, texts, write

pytestmark = pytest.mark.timeout(120)


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_a_folder_is_counted_on_the_local_services(runner: Runner) -> None:
    """Without any account; services that run are not started again."""
    expected = reference(list(corpus(runner).values()))
    runner.with_local_services()
    done = runner.run("in", "--local", "--output", "out")

    assert done.code == 0
    assert counts(runner.folder / "out") == dict(expected)
    assert "were started" not in done.err
    word, count = min(expected.items(), key=lambda pair: (-pair[1], pair[0]))
    assert done.out.splitlines()[1].split() == [f"{count:,}", word]
    assert runner.left_here() == []


@pytest.mark.slow
def test_local_services_that_do_not_run_are_started_and_go_on(runner: Runner) -> None:
    """It is said how to stop them; the next run finds them."""
    found = corpus(runner)
    runner.forget_account()
    try:
        first, second = runner.run("in", "--local"), runner.run("in", "--local", "-q", "--output", "out")
    finally:
        stopped = runner.call(*FASTBATCH, "local", "down")

    assert (first.code, second.code, stopped.code) == (0, 0, 0)
    assert "to stop them: fastbatch local down" in first.err
    assert second.err == ""
    assert "1 reused" in second.out
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


def test_an_account_in_the_environment_is_used(runner: Runner) -> None:
    """As az and the SDKs have it, and nothing else is needed."""
    found = corpus(runner)
    done = runner.run("in", "--output", "out")

    assert done.code == 0
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))
    assert runner.left_here() == []
    assert not (runner.state / "fastbatch" / "local").exists()


def test_a_glob_is_expanded_where_no_shell_did_it(runner: Runner) -> None:
    """Of any depth."""
    corpus_ = {"a/one.txt": b"one", "a/b/two.txt": b"two two", "a/b/not.md": b"never", "three.txt": b"x"}
    write(runner.folder / "in", corpus_)
    done = runner.run("in/a/**/*.txt", "--output", "out")

    assert done.code == 0
    assert counts(runner.folder / "out") == {"one": 1, "two": 2}


def test_a_list_of_inputs_is_read_from_standard_input(runner: Runner) -> None:
    """Lines, beside inputs that are named."""
    write(runner.folder, {"one.txt": b"one", "with space.txt": b"two two", "more/three.txt": b"x x x"})
    done = runner.run("-", "more", "--output", "out", stdin=b"one.txt\nwith space.txt\n")

    assert done.code == 0
    assert counts(runner.folder / "out") == {"one": 1, "two": 2, "x": 3}


def test_a_list_with_nul_may_hold_any_name(runner: Runner) -> None:
    """Line breaks, bytes of no encoding, what a shell would obey, what looks like an option."""
    names = [b"line\nbreak", b"\xff\xfe", b"$(touch x)", b"-rf", b"'\"", "\u202egnp".encode()]
    for number, name in enumerate(names, 1):
        (runner.folder / os.fsdecode(name)).write_bytes(b"word%d " % number * number)
    done = runner.run("-0", "-", "--output", "out", "--per-file", stdin=b"\0".join(names) + b"\0")

    assert done.code == 0
    assert counts(runner.folder / "out") == {f"word{number}": number for number in range(1, len(names) + 1)}
    assert len(list((runner.folder / "out").glob("*_OUTPUT.txt"))) == len(names)
    assert not (runner.folder / "x").exists()


def test_an_argument_may_be_any_name(runner: Runner) -> None:
    """Also one that no encoding has, and after -- one that looks like an option."""
    (runner.folder / os.fsdecode(b"\xff.txt")).write_bytes(b"odd")
    (runner.folder / "--top").write_bytes(b"dash dash")
    done = runner.run("--output", "out", "--", b"\xff.txt", "--top")

    assert done.code == 0
    assert counts(runner.folder / "out") == {"odd": 1, "dash": 2}


def test_patterns_say_what_is_taken_and_what_is_left_out(runner: Runner) -> None:
    """Each may be given several times."""
    files = {"a.txt": b"a", "b.md": b"b", "c.log": b"c", "d/secret.txt": b"s", "d/e.txt": b"e", "f.bin": b"f"}
    write(runner.folder / "in", files)
    patterns = ["--include", "*.txt", "--include", "*.md", "--exclude", "*secret*", "--exclude", "a.*"]
    done = runner.run("in", *patterns, "--output", "out")

    assert done.code == 0
    assert counts(runner.folder / "out") == {"b": 1, "e": 1}


def test_a_sample_is_made_counted_and_gone(runner: Runner) -> None:
    """It is the same for everybody."""
    sample.write(str(runner.folder / "same"), 7)
    contents = [path.read_bytes() for path in (runner.folder / "same").rglob("*.txt")]
    done = runner.run("--sample", "7", "--output", "out")

    assert done.code == 0
    assert len(contents) == 7
    assert counts(runner.folder / "out") == dict(reference(contents))
    assert runner.left_here() == []
