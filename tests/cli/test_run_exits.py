"""How `fastbatch run` ends."""

import re
import shlex
import subprocess

import pytest

from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import account_of, counts, reference, texts, write
from tests.local.instances import new_name
from tests.proxy import Rule, proxy

pytestmark = pytest.mark.timeout(120)


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_an_input_that_fails_is_code_1_and_named(runner: Runner) -> None:
    """The rest is done, and what the run made is left and named."""
    found = corpus(runner)
    gone = runner.folder / "in" / "text-0004.txt"
    with proxy(account_of(runner.services).storage_endpoint) as storage:
        # After the plan, and before the first upload.
        storage.rules.append(Rule("GET", "comp=list", then=gone.unlink))
        runner.reach_storage_at(storage.url)
        done = runner.run("in", "-q", "--output", "out")
    del found["text-0004.txt"]

    assert done.code == 1
    assert "11 done, 1 failed, 0 open" in done.out
    assert "text-0004.txt" in done.err
    assert "gone" in done.err
    assert re.search(r"^left +job run-\w+, container fastbatch-out-run-\w+, pool ", done.out, re.MULTILINE)
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


@pytest.mark.slow
def test_work_that_is_open_when_the_time_is_over_is_code_1(runner: Runner) -> None:
    """The gaps are counted."""
    corpus(runner)
    with proxy(runner.services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        runner.reach_batch_at(batch.url)
        done = runner.run("in", "--timeout", "1s", "--json")

    assert done.code == 1
    assert done.records()[-1]["inputs"] == {"planned": 12, "done": 0, "failed": 0, "open": 12}


def test_all_problems_are_told_a_line_each_and_nothing_is_made(runner: Runner) -> None:
    """Of inputs, of options and of the configuration."""
    before = runner.left_there()
    runner.forget_account()
    done = runner.run("nowhere", "in/*.none", "--pool", "a b", "--nodes", "-3", "--top", "0", "--output", "/dev/null")
    lines = done.err.splitlines()

    assert (done.code, done.out) == (2, "")
    assert all(line.startswith("Error: ") for line in lines)
    for problem in (
        "nowhere",
        "in/*.none",
        "--pool",
        "--nodes",
        "--top",
        "AZURE_BATCH_ACCOUNT",
        "AZURE_BATCH_ENDPOINT",
        "AZURE_STORAGE_ACCOUNT",
    ):
        assert len([line for line in lines if problem in line]) == 1, problem
    assert runner.left_there() == before
    assert runner.left_here() == []


def test_an_output_folder_that_can_not_be_is_told_beside_other_problems(runner: Runner) -> None:
    """Before anything is made."""
    done = runner.run("nowhere", "--output", "/dev/null/below", "--top", "0")

    assert done.code == 2
    assert "/dev/null" in done.err
    assert "nowhere" in done.err
    assert "--top" in done.err


def test_values_that_can_not_be_read_are_all_told(runner: Runner) -> None:
    """Also beside what is wrong with the inputs."""
    before = runner.left_there()
    done = runner.run("nowhere", "--top", "x", "--bundle-size", "3X", "--timeout", "soon")

    assert done.code == 2
    for problem in ("--top", "--bundle-size", "--timeout", "nowhere"):
        assert problem in done.err
    assert runner.left_there() == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["in", "--sample", "3"],
        ["in", "-0"],
        ["--sample", "0"],
        ["in", "--keep-pool", "--delete-pool"],
        ["in", "-x"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_wrong_usage_is_code_2_and_makes_nothing(runner: Runner, arguments: list[str]) -> None:
    """It is told what is wrong."""
    corpus(runner)
    before = runner.left_there()
    done = runner.run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err
    assert runner.left_there() == before
    assert runner.left_here() == []


def test_a_log_file_that_can_not_be_is_code_2_and_makes_nothing(runner: Runner) -> None:
    """It is told before the run begins."""
    corpus(runner)
    before = runner.left_there()
    done = runner.run("in", "--log-file", "/no/where")

    assert (done.code, done.out) == (2, "")
    assert "/no/where" in done.err
    assert runner.left_there() == before


@pytest.mark.parametrize("service", ["Batch", "Storage"])
def test_a_wrong_key_is_code_3_at_once_and_not_shown(runner: Runner, service: str) -> None:
    """There is no point in trying again; what was made for the run before is named."""
    corpus(runner)
    before = runner.left_there()
    wrong = "d3Jvbmcga2V5"
    if service == "Batch":
        runner.environment["AZURE_BATCH_ACCESS_KEY"] = wrong
    else:
        connection = runner.environment["AZURE_STORAGE_CONNECTION_STRING"]
        runner.environment["AZURE_STORAGE_CONNECTION_STRING"] = connection.replace(runner.services.storage_key, wrong)
    done = runner.run("in", "-v", timeout=15)

    assert (done.code, done.out) == (3, "")
    assert f"Error: {service} does not accept the credentials" in done.err
    assert "is sent again" not in done.err
    assert wrong not in done.err
    assert runner.left_here() == []
    left = [name for name in runner.left_there() - before if "-run-" in name]
    assert all(name in done.err for name in left), left


def test_what_a_service_refuses_is_code_3(runner: Runner) -> None:
    """With its reason."""
    corpus(runner)
    body = b'{"code":"PoolQuotaReached","message":{"value":"no more"}}'
    with proxy(runner.services.endpoint) as batch:
        batch.rules.append(Rule("POST", "/pools\\?", refuse=(409, {}, body)))
        runner.reach_batch_at(batch.url)
        done = runner.run("in", "--pool", new_name("never"))

    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[-1].startswith("Error: Batch refused to")
    assert "quota" in done.err


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("service", ["Batch", "Storage"])
def test_a_service_out_of_reach_is_code_3_within_two_minutes(runner: Runner, service: str) -> None:
    """It is asked several times, as a service may come back."""
    corpus(runner)
    closed = "http://127.0.0.1:9"
    if service == "Batch":
        runner.reach_batch_at(closed)
    else:
        runner.reach_storage_at(f"{closed}/fastbatchlocal")
    done = runner.run("in", "-v", timeout=120)

    assert (done.code, done.out) == (3, "")
    assert f"A request to {service} is sent again" in done.err
    assert re.search(rf"^Error: {service} gave no answer when asked to .*127\.0\.0\.1:9", done.err, re.MULTILINE)


def test_data_that_is_to_be_kept_is_kept_and_named(runner: Runner) -> None:
    """Nobody is asked, as there is no terminal."""
    corpus(runner)
    done = runner.run("in", "--keep-data", "--json")
    left = done.records()[-1]["left"]

    assert done.code == 0
    assert [name.split()[0] for name in left] == ["job", "container", "pool"]
    assert set(left) <= runner.left_there()


def test_a_pool_is_deleted_on_request(runner: Runner) -> None:
    """Nothing is left then."""
    corpus(runner)
    done = runner.run("in", "--pool", new_name("brief"), "--nodes", "1", "--delete-pool", "--json")

    assert done.code == 0
    assert done.records()[-1]["left"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [("in -q", 0, b""), ("-", 2, b"standard input, which is closed")],
    ids=["run", "list"],
)
def test_a_standard_input_that_is_closed_is_no_terminal(runner: Runner, arguments: str, code: int, told: bytes) -> None:
    """As with a daemon: nobody is asked, and all is done; but no list can be read from it."""
    corpus(runner)
    command = ["sh", "-c", f"{shlex.join(FASTBATCH)} run {arguments} <&-"]
    done = subprocess.run(command, cwd=runner.folder, env=runner.environment, capture_output=True, check=False)
    assert done.returncode == code
    assert told in done.stderr
    assert b"Traceback" not in done.stderr
