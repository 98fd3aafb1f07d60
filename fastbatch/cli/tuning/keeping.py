"""Keeping what was measured as soon as it is, as it cost time and money."""

import os
from collections.abc import Callable

from fastbatch import names, state
from fastbatch.errors import FastbatchError
from fastbatch.terminal import escaped
from fastbatch.tuning.measured import Measurements
from fastbatch.tuning.saved import save

MEASUREMENTS = "measurements.json"
_ASIDE = "measurements-{}.json"


class Keeper:
    """
    Writes measurements to a file, again and again; one of earlier measurements is put aside.

    What can't be written is told once, and measuring goes on: what is known then can still be shown.
    """

    def __init__(self, folder: str | None, name: str | None, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._is_begun = False
        self.is_sound = True
        self.last: Measurements | None = None
        self.path = os.path.join(folder, MEASUREMENTS) if folder is not None else _of_our_own(name)

    def keep(self, measurements: Measurements) -> None:
        """Write what was measured so far."""
        self.last = measurements
        try:
            self._begin()
            save(self.path, measurements)
        except (OSError, FastbatchError) as error:
            if self.is_sound:
                self._say(f"What is measured can't be kept: {escaped(str(error))}")
            self.is_sound = False

    def _begin(self) -> None:
        if self._is_begun:
            return
        if self._folder is None:
            state.make(state.folder() / "tunes")
        elif os.path.lexists(self.path):
            os.replace(self.path, _free(self._folder))
        self._is_begun = True


def _of_our_own(name: str | None) -> str:
    return str(state.folder() / "tunes" / f"{names.new_run(name or 'tune')}.json")


def _free(folder: str) -> str:
    """Give a path that nothing has yet."""
    number = 1
    while os.path.lexists(path := os.path.join(folder, _ASIDE.format(number))):
        number += 1
    return path
