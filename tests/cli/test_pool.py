"""`fastbatch pool`: what there is, what is wrong with it, and what is done about it."""

import json
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from click.testing import CliRunner

from fastbatch.azure import services as services_of_an_account
from fastbatch.cli.main import main
from fastbatch.sending.retry import Policy
from tests.cli import FASTBATCH
from tests.cli.running import Done, Runner, Running
from tests.cli.terminals import Terminal, terminal
from tests.local import instances
from tests.local.instances import eventually, new_name
from tests.proxy import Rule, proxy

pytestmark = pytest.mark.timeout(120)


def pool(runner: Runner, *arguments: str, **options: Any) -> Done:
    """Run `fastbatch pool`."""
    return runner.call(*FASTBATCH, "pool", *arguments, **options)


def asked(runner: Runner, screen: Terminal, *arguments: str) -> AbstractContextManager[Running]:
    """Run `fastbatch pool` for a while, on a terminal."""
    return runner.running(*arguments, verb="pool", stdin=screen.theirs, stdout=screen.theirs, stderr=screen.theirs)


def nodes_of(runner: Runner, name: str) -> int | None:
    """Tell how many nodes a pool is to have; None if it is not there, or going."""
    with runner.services.client() as client:
        try:
            found = client.get_pool(name)
        except ResourceNotFoundError:
            return None
        return None if found.state == "deleting" else int(found.target_dedicated_nodes)


@contextmanager
def of_others(runner: Runner, nodes: int = 0) -> Iterator[str]:
    """Have a pool that fastbatch did not make."""
    name = new_name("others")
    with runner.services.client() as client:
        client.create_pool(instances.pool_body(name, targetDedicatedNodes=nodes, taskSlotsPerNode=3))
        eventually(lambda: [node.state for node in client.list_nodes(name)], lambda states: states == ["idle"] * nodes)
        try:
            yield name
        finally:
            let_go(runner, name)


def let_go(runner: Runner, name: str) -> None:
    """Delete a pool, unless it is gone."""
    if nodes_of(runner, name) is not None:
        with runner.services.client() as client:
            client.begin_delete_pool(name, polling_interval=3600)


@pytest.fixture
def made(runner: Runner) -> Iterator[str]:
    """Have a name for a pool, which is deleted in the end."""
    name = new_name("made")
    yield name
    let_go(runner, name)


def test_all_pools_are_listed_with_what_costs_money(runner: Runner, made: str) -> None:
    """A row each, with who made it; what has nodes is told below, for people."""
    assert pool(runner, "create", made, "--nodes", "0", "--slots", "7").code == 0
    with of_others(runner, nodes=2) as other:
        done = pool(runner, "ls")
    rows = {line.split()[0]: line for line in done.out.splitlines()}

    assert done.code == 0
    assert next(iter(rows)) == "POOL"
    assert rows[made].split()[1:] == ["active", "0", "standard_d2s_v3", "7", "fastbatch"]
    assert rows[other].split()[1:] == ["active", "2", "(2", "idle)", "STANDARD_D2S_V3", "3", "others"]
    assert "cost money, at work or not. To be rid of that: fastbatch pool resize ID --nodes 0" in done.err


def test_pools_are_listed_as_json(runner: Runner) -> None:
    """A line each, with numbers as numbers, and nothing on stderr."""
    with of_others(runner, nodes=1) as other:
        done = pool(runner, "ls", "--json")
    (found,) = (each for each in done.records() if each["id"] == other)

    assert (done.code, done.err) == (0, "")
    assert (found["nodes"], found["target"], found["nodes_by_state"]) == (1, 1, {"idle": 1})
    assert (found["slots"], found["made_by_fastbatch"], found["allocation"]) == (3, False, "steady")


def test_a_pool_is_shown_with_the_jobs_on_it(runner: Runner) -> None:
    """Active ones; as lines and as JSON."""
    with (
        of_others(runner, nodes=1) as other,
        runner.services.client() as client,
        instances.job(client, other) as job,
        instances.job(client, other) as over,
    ):
        client.begin_terminate_job(over, options={"terminateReason": "over"}, polling_interval=3600)
        eventually(lambda: client.get_job(over).state, lambda state: state == "completed")
        lines, record = pool(runner, "show", other), pool(runner, "show", other, "--json")
    assert (lines.code, lines.err) == (0, "")
    assert f"\njobs      {job}\n" in lines.out
    assert "\nnodes     1 (1 idle)\n" in lines.out
    assert json.loads(record.out)["active_jobs"] == [job]


@pytest.mark.slow
def test_why_a_pool_has_too_few_nodes_is_shown(runner: Runner, made: str) -> None:
    """In the list too; the account has its quota."""
    assert pool(runner, "create", made, "--nodes", "1000").code == 0
    with runner.services.client() as client:
        eventually(lambda: client.get_pool(made).resize_errors, bool)
    shown, listed = pool(runner, "show", made), pool(runner, "ls")

    assert "\nlacking   AccountCoreQuotaReached" in shown.out
    assert f"Pool {made} did not get its nodes: AccountCoreQuotaReached" in listed.err
    assert " of 1,000" in listed.out


def test_a_pool_is_made_as_a_run_would_make_it_and_waited_for(runner: Runner, made: str) -> None:
    """It is told how its nodes are; a second time it is told that it is there, and stays as it is."""
    done = pool(runner, "create", made, "--nodes", "1", "--slots", "4", "--wait")
    again = pool(runner, "create", made, "--nodes", "5", "--wait")

    assert (done.code, done.out) == (0, "")
    assert f"Pool {made} was made; it is to have 1 node.\n" in done.err
    assert done.err.endswith(f"Nodes: 1 idle.\nPool {made} is ready.\n")
    assert again.code == 0
    assert f"Pool {made} is there already, and stays as it is; it is to have 1 node." in again.err
    assert f"fastbatch pool resize {made} --nodes N" in again.err
    assert nodes_of(runner, made) == 1


def test_a_signal_ends_the_wait_and_the_pool_stays(runner: Runner, made: str) -> None:
    """Whoever wants it can wait again."""
    with terminal() as screen:
        with asked(
            runner, screen, "create", made, "--nodes", "1", "--start-command", "sleep 1000", "--wait"
        ) as waiting:
            screen.wait_for("1 waitingForStartTask")
            waiting.send(signal.SIGTERM)
            assert waiting.end().code == 143
        assert "Traceback" not in screen.text
    assert nodes_of(runner, made) == 1


@pytest.mark.slow
def test_nodes_that_fail_to_start_are_no_reason_to_wait(runner: Runner, made: str) -> None:
    """It is said why, and `show` says it too."""
    done = pool(runner, "create", made, "--nodes", "2", "--start-command", "exit 7", "--wait")
    shown = pool(runner, "show", made)

    assert done.code == 3
    assert (
        f"Error: Pool {made} will not be ready: no node can be used: 2 startTaskFailed (start task failed" in done.err
    )
    assert "\nfailed    start task failed with exit code 7" in shown.out
    assert "(2 nodes)" in shown.out


@pytest.mark.slow
def test_a_pool_of_which_some_nodes_can_not_be_used_is_code_1(runner: Runner, made: str) -> None:
    """The others are ready; it is said what is wrong with these."""
    first = runner.folder / "first"
    failing_once = (
        f'mkdir {first} && echo $AZ_BATCH_NODE_ID > {first}/id; test $AZ_BATCH_NODE_ID != "$(cat {first}/id)"'
    )
    done = pool(runner, "create", made, "--nodes", "2", "--start-command", failing_once, "--wait")

    assert done.code == 1
    assert f"Error: Some nodes of pool {made} can't be used: 1 startTaskFailed" in done.err


@pytest.mark.slow
def test_a_pool_is_resized_to_nothing_and_back(runner: Runner) -> None:
    """While it is being resized, that is waited for."""
    with of_others(runner) as name, proxy(runner.services.endpoint) as batch:
        refused: tuple[int, dict[str, str], bytes] = (
            409,
            {},
            b'{"code":"AllocationStateNotSteady","message":{"value":"wait"}}',
        )
        batch.rules.append(Rule("POST", "/resize", refuse=refused))
        runner.reach_batch_at(batch.url)
        done = pool(runner, "resize", name, "--nodes", "1")
        assert (done.code, done.out) == (0, "")
        assert f"Pool {name} is being resized already; waiting until that is done.\n" in done.err
        assert f"Pool {name} is being resized from 0 to 1 node.\n" in done.err
        assert nodes_of(runner, name) == 1
        assert pool(runner, "resize", name, "--nodes", "0").code == 0
        assert nodes_of(runner, name) == 0


def test_a_pool_is_not_deleted_where_nobody_can_be_asked(runner: Runner) -> None:
    """Unless that was said before; a second time it is being deleted already, or gone."""
    with of_others(runner) as name:
        refused = pool(runner, "delete", name)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.endswith("say --yes\n")
        assert nodes_of(runner, name) == 0

        done = pool(runner, "delete", name, "--yes")
        assert (done.code, done.err) == (0, f"Pool {name} is being deleted.\n")
        assert nodes_of(runner, name) is None


@pytest.mark.slow
def test_who_is_asked_sees_what_is_in_use_and_may_say_no(runner: Runner) -> None:
    """Enter is no, too; yes deletes it."""
    with of_others(runner, nodes=1) as name, runner.services.client() as client, instances.job(client, name) as job:
        client.create_task(job, {"id": "t", "commandLine": "sleep 1000"})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "running")
        use = f"Pool {name} is in use: 1 node of it runs tasks; 1 active job may want it: {job}."
        for typed, code, there in (("n\n", 1, 1), ("\n", 1, 1), ("y\n", 0, None)):
            with terminal() as screen:
                with asked(runner, screen, "delete", name) as run:
                    screen.wait_for(f"Delete pool {name} with 1 node, made by others? [y/N]: ")
                    screen.type(typed)
                    assert run.end().code == code
                assert use in screen.text
            assert nodes_of(runner, name) == there


def test_a_signal_at_the_question_ends_it_and_deletes_nothing(runner: Runner) -> None:
    """With the code of the signal, and no traceback."""
    with of_others(runner) as name, terminal() as screen:
        before = screen.attributes()
        with asked(runner, screen, "delete", name) as run:
            screen.wait_for("[y/N]: ")
            run.send(signal.SIGINT)
            assert run.end().code == 130
        assert nodes_of(runner, name) == 0
        assert "Traceback" not in screen.text
        assert screen.attributes() == before


@pytest.mark.parametrize(
    "words",
    [["show", "none"], ["resize", "none", "--nodes", "1"], ["delete", "none", "--yes"], ["show", "no such\x1b[2J"]],
    ids=lambda words: words[0],
)
def test_a_pool_that_is_not_there_is_told(runner: Runner, words: list[str]) -> None:
    """With what to do to see which there are; its name steers no terminal."""
    done = pool(runner, *words)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: There is no pool no")
    assert "fastbatch pool ls" in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "ID"),
        (["resize", "x"], "--nodes"),
        (["resize", "x", "--nodes", "-1"], "--nodes"),
        (["create", "a b"], "letters, digits, hyphens and underscores"),
        (["create", "x", "--nodes", "-1", "--slots", "0"], "--slots"),
        (["ls", "there"], "there"),
        (["ls", "--profile", "none"], "none"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_wrong_usage_is_code_2(runner: Runner, words: list[str], told: str) -> None:
    """It is told what is wrong."""
    done = pool(runner, *words)

    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_what_the_service_refuses_is_code_3(runner: Runner) -> None:
    """Credentials, for one; they are not shown."""
    runner.environment["AZURE_BATCH_ACCESS_KEY"] = "d3Jvbmc="
    done = pool(runner, "ls")

    assert (done.code, done.out) == (3, "")
    assert "Batch does not accept the credentials" in done.err
    assert "d3Jvbmc" not in done.err


@pytest.mark.parametrize("words", [["ls"], ["show", "x"], ["create", "x"], ["delete", "x", "-y"]], ids=" ".join)
def test_a_service_out_of_reach_is_code_3(runner: Runner, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """It is asked again, which is told meanwhile."""
    policy = Policy(attempts=2, wait_initial=0.0)
    monkeypatch.setattr(services_of_an_account, "Policy", lambda: policy)
    environment = {**runner.environment, "AZURE_BATCH_ENDPOINT": "http://127.0.0.1:9"}
    ended = CliRunner(env=environment).invoke(main, ["pool", *words])

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "A request to Batch is sent again after 0s" in ended.stderr
    assert "Error: Batch gave no answer when asked to" in ended.stderr
