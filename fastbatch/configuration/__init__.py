"""What is set where: files, the environment and flags come together as settings and an account."""

from fastbatch.configuration.resolving import Configuration, resolve

__all__ = ["Configuration", "resolve"]
