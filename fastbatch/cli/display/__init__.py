"""A run as it is shown: bars or lines on stderr, the result or JSON on stdout, and a log file."""

from fastbatch.cli.display.choosing import Surroundings, Wishes, choose
from fastbatch.cli.display.failures import failures_text
from fastbatch.cli.display.result import summary_text
from fastbatch.cli.display.showing import Display

__all__ = ["Display", "Surroundings", "Wishes", "choose", "failures_text", "summary_text"]
