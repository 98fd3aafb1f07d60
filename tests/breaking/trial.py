"""A run of texts whose totals are known, which something befalls on the way; and the law that holds after all of it."""

import io
import json
import signal
import tarfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.cli.running import Done, Runner, Running
from tests.counted import account_of, counts, reference, write
from tests.local.instances import Instance, new_name
from tests.proxy import Proxy, Rule, proxy

_BUNDLES = "fastbatch-input"
SERVES_ALL = {"pool fastbatch", "container fastbatch-app", "container fastbatch-input"}
_INSIDE = Path(__file__).with_name("inside")
_RESUMES = 4


def texts(number: int) -> dict[str, bytes]:
    """Make texts that nobody has uploaded, each with a word of its own, and most words in several."""
    own = new_name("own")
    return {
        f"{'abc'[n % 3]}/text-{n:03}.txt": " ".join(f"{own}-{n} w{k % 11} x{(n + k) % 7}" for k in range(40)).encode()
        for n in range(number)
    }


def _members(bundle: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(bundle)) as tar:
        return tar.getnames()


class Trial:
    """A user, whose requests pass through proxies, and a corpus, in bundles of three."""

    def __init__(self, runner: Runner, batch: Proxy, storage: Proxy, corpus: dict[str, bytes]) -> None:
        self.runner = runner
        self.batch = batch
        self.storage = storage
        self.output = runner.folder / "out"
        self.corpus = corpus
        self.command = ["in", "--json", "--output", "out", "--per-file", "--files-per-task", "3"]
        self._sees_requests = True
        self._before = runner.left_there()
        write(self.inputs, self.corpus)

    @property
    def inputs(self) -> Path:
        """Give the folder of the inputs."""
        return self.runner.folder / "in"

    @property
    def own_folders(self) -> list[str]:
        """Give the folders in which a run changes anything."""
        return [str(self.runner.state), str(self.output), str(self.runner.temporary)]

    @property
    def requests(self) -> int:
        """Count the requests so far, of the user and of nodes."""
        return len(self.batch.requests) + len(self.storage.requests)

    def without_proxies(self) -> None:
        """From now on let requests go straight to the services."""
        self._sees_requests = False
        self.runner.environment |= asking.environment(Home(self.runner.services.home))

    def bundled_by_blob(self) -> dict[str, list[str]]:
        """Give the inputs of each bundle that this trial has uploaded, by the name of its blob."""
        put = [path.partition("?")[0] for method, path in self.storage.requests if method == "PUT"]
        names = dict.fromkeys(path.rpartition("/")[2] for path in put if "/fastbatch-input/" in path)
        with self.runner.services.blobs() as service, service.get_container_client(_BUNDLES) as there:
            return {name: _members(there.download_blob(name).readall()) for name in names}

    def lose_blobs(self, names: Iterable[str]) -> None:
        """Have blobs of bundles gone from storage."""
        with self.runner.services.blobs() as service, service.get_container_client(_BUNDLES) as there:
            for name in names:
                there.delete_blob(name)

    def inside(self, **plan: Any) -> None:
        """Let something befall the user's next programs from within, or nothing more; see `inside/sitecustomize.py`."""
        self.runner.environment |= {"PYTHONPATH": str(_INSIDE), "BREAKING": json.dumps(plan)}

    def running(self, *more: str, verb: str = "run", **options: Any) -> AbstractContextManager[Running]:
        """Run for a while, or go on."""
        command = self.command if verb == "run" else ["last", "--json"]
        return self.runner.running(*command, *more, verb=verb, **options)

    def kill_when_uploaded(self, bundles: int) -> None:
        """Run, and be killed when so many bundles are uploaded, before any task is added."""
        self.batch.rules.append(Rule("POST", "/addtaskcollection", drop="before", times=1000))
        with self.running() as run:
            for _ in range(bundles):
                run.until("bundle.uploaded")
            run.send(signal.SIGKILL)
            run.end()
        self.batch.rules.clear()

    def run(self, *more: str, **options: Any) -> Done:
        """Run to the end."""
        return self.runner.run(*self.command, *more, **options)

    def resumed(self, *more: str) -> Done:
        """Go on until nothing is left to be done; run again if there is nothing to go on with, as nothing was asked."""
        done = None
        for _ in range(_RESUMES):
            done = self.runner.resume("last", "--json", *more)
            if done.code == 2 and self._sees_requests and not self.requests:
                done = self.run()
            if done.code == 0:
                return done
        raise AssertionError(
            f"not done after {_RESUMES} times: {done.code if done else None}, {done.err if done else None}"
        )

    def ends(self, done: Done, *more: str) -> None:
        """See that a run has come to its end, or go on with it."""
        if done.code:
            self.resumed(*more)

    def assert_whole(self, *, without: Collection[str] = ()) -> None:
        """See that all inputs are counted once, but those that failed, which are named; and that no more is left."""
        self.assert_counted(without=without)
        if not without:
            assert self.runner.left_there() - self._before <= SERVES_ALL
            assert self.runner.left_here() == []

    def assert_counted(self, *, without: Collection[str] = ()) -> None:
        """See that all inputs are counted once, but those that failed, which are named; and that no secret is kept."""
        done = {name: text for name, text in self.corpus.items() if name not in without}
        summary = json.loads((self.output / "summary.json").read_bytes())
        books = {"planned": len(self.corpus), "done": len(done), "failed": len(without), "open": 0}

        assert counts(self.output) == dict(reference(list(done.values())))
        assert summary["inputs"] == books
        assert {failure["name"] for failure in summary["failures"]} == set(without)
        assert len(list(self.output.rglob("*_OUTPUT.txt"))) == len(done)
        self._assert_no_secret_is_kept()

    def _assert_no_secret_is_kept(self) -> None:
        services = self.runner.services
        for path in (self.runner.state / "fastbatch").glob("journal*"):
            content = path.read_bytes()
            for secret in (services.key, services.storage_key, "sig="):
                assert secret.encode() not in content, path


@contextmanager
def trial_at(services: Instance, folder: Path, corpus: dict[str, bytes] | None = None) -> Iterator[Trial]:
    """Have a trial at some services, with proxies on the way; of 24 small texts, unless others are given."""
    runner = Runner(folder, services)
    with ExitStack() as stack:
        batch = stack.enter_context(proxy(services.endpoint))
        storage = stack.enter_context(proxy(account_of(services).storage_endpoint))
        runner.reach_batch_at(batch.url)
        runner.reach_storage_at(storage.url)
        yield Trial(runner, batch, storage, corpus or texts(24))
