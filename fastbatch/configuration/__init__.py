"""What is set where: files, the environment and flags come together as settings and an account."""

from fastbatch.configuration.resolving import Configuration, resolve, resolve_account

__all__ = ["Configuration", "resolve", "resolve_account"]
