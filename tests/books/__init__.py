"""The books of a run, tested."""
