"""An account of the local services for runs, and what is counted in them."""

from collections import Counter
from pathlib import Path
from typing import Any

from bench import corpora
from fastbatch import Account, Settings, Summary, run_sync
from fastbatch.configuration.connection import parse_connection
from fastbatch.events import Event
from tests.local.instances import Instance

POOL = "runs"


def account_of(instance: Instance, **different: Any) -> Account:
    """Give the account of an instance; endpoints may be those of proxies."""
    pieces: dict[str, Any] = {
        "batch_account": instance.account,
        "batch_endpoint": instance.endpoint,
        "batch_key": instance.key,
        **parse_connection(instance.connection_string),
    }
    return Account(**{**pieces, **different})


def write(folder: Path, texts: dict[str, bytes]) -> Path:
    """Write texts below a folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return folder


def texts(number: int, *, words: int = 50) -> dict[str, bytes]:
    """Make some texts, each different."""
    return {
        f"text-{n:04}.txt": " ".join(f"w{n % 7} x{k % (n + 3)} t{n}" for k in range(words)).encode()
        for n in range(number)
    }


def reference(contents: list[bytes]) -> Counter[str]:
    """Count as the definition of a word says."""
    return sum(map(corpora.reference, contents), start=Counter[str]())


def counts(output: Path) -> dict[str, int]:
    """Read what a run counted."""
    lines = (output / "counts.tsv").read_bytes().decode("utf-8", "replace").split("\n")[:-1]
    return {word: int(count) for count, word in (line.split("\t", 1) for line in lines)}


class Seen(list[Event]):
    """The events of a run."""

    def __call__(self, event: Event) -> None:
        """Keep an event."""
        self.append(event)

    def of(self, kind: type[Event]) -> list[Any]:
        """Give the events of a kind."""
        return [event for event in self if isinstance(event, kind)]


def counted(account: Account, inputs: Path, output: Path, **settings: Any) -> tuple[Summary, Seen]:
    """Run a folder."""
    seen = Seen()
    chosen = Settings(**{"pool": POOL, "output": str(output), **settings})
    return run_sync([str(inputs)], chosen, account=account, observe=seen), seen
