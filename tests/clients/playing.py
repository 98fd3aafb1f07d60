"""
Playing a scenario through some client: each operation is tried, and what became of it is noted.

It runs in whatever Python the client needs, so it knows nothing but the standard library.
"""

import re
import time
from collections.abc import Callable
from typing import Any, Protocol

WORKS = "works"
REFUSED = "refused"
FAILS = "fails"
ABSENT = "-"

_SECONDS = 20.0


def snake(name: str) -> str:
    """Give a name of the wire as Python has it."""
    return re.sub("([A-Z])", r"_\1", name).lower()


class Absent(Exception):
    """Raised when a client has no such operation, or no such option of it."""


class Refused(Exception):
    """Raised when the service refuses; a refusal without a body has no code."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(f"refused with {status} {code}")
        self.status = status
        self.code = code


class Fails(Exception):
    """Raised when a client fails by itself, however well the service answers."""


class Client(Protocol):
    """
    A client in the terms that all have in common.

    Operations and their options have the names that they have in azure-batch 15.1, and bodies are as on the wire. What
    is given back is of dicts and lists with the wire's names, bytes for files, or whether something exists.
    """

    def call(self, operation: str, *ids: str, body: Any = None, wait: bool = True, **options: Any) -> Any:
        """Do an operation; who can wait for what it begins does so, unless told not to."""


class Player:
    """Tries operations, and keeps what became of each."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: dict[str, list[str]] = {}

    def acts(self, act: Callable[["Player", str], None], name: str) -> None:
        """Play a part of the scenario; where it can't go on, that is noted too."""
        try:
            act(self, name)
        except Exception as error:  # noqa: BLE001 - the rest is to be played all the same
            self._note(f"{act.__module__}.{act.__name__}", f"{type(error).__name__}: {error}")

    def tries(
        self,
        operation: str,
        *ids: str,
        seen: Callable[[Any], bool] | None = None,
        refused_with: str | None = None,
        **given: Any,
    ) -> Any:
        """Do an operation, and wait until its effect is seen; or see that it is refused as it should be."""
        answer = None
        try:
            answer = self.ask(operation, *ids, **given)
            good = refused_with is None and (seen is None or self.until(lambda: seen(answer)))
            said = WORKS if good else f"answers {answer!r}"
        except Absent:
            said = ABSENT
        except Fails:
            said = FAILS
        except Refused as refused:
            said = _word(refused, refused_with)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is what became of it
            said = f"{type(error).__name__}: {error}"
        self._note(operation, said)
        return answer

    def _note(self, operation: str, said: str) -> None:
        self._found.setdefault(operation, []).append(said)

    def ask(self, operation: str, *ids: str, **given: Any) -> Any:
        """Do an operation as a means to see something else."""
        return self._client.call(operation, *ids, **given)

    def until(self, holds: Callable[[], bool]) -> bool:
        """Tell whether something comes to hold before long."""
        deadline = time.monotonic() + _SECONDS
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def gone(self, operation: str, *ids: str) -> bool:
        """Tell whether what an operation gets is not there."""
        try:
            self.ask(operation, *ids)
        except Refused as refused:
            return refused.status == 404
        return False

    def report(self) -> dict[str, str]:
        """Give what became of each operation: a word if it is plain, or all that is wrong."""
        return {operation: _verdict(found) for operation, found in self._found.items()}


def _word(refused: Refused, expected: str | None) -> str:
    if refused.code and refused.code == expected:
        return WORKS
    return REFUSED if refused.status == 501 else str(refused)


def _verdict(found: list[str]) -> str:
    """Give what was found; that some option is absent does not count where others are there."""
    present = [said for said in dict.fromkeys(found) if said != ABSENT] or [ABSENT]
    wrong = [said for said in present if said not in {WORKS, REFUSED, FAILS}]
    return "; ".join(wrong or present)
