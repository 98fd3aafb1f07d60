"""Thousands of input files in, merged results out, on Azure Batch, in one command."""

__all__ = ["__version__"]

__version__ = "0.1.0"
