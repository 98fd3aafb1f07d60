"""Azurite, the storage emulator: find or install its blob service, and start it."""

from fastbatch.local.azurite.finding import program
from fastbatch.local.azurite.server import Server, start

__all__ = ["Server", "program", "start"]
