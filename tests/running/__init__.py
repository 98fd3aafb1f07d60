"""Runs as a whole, tested."""
