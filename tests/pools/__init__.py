"""Pools, tested."""
