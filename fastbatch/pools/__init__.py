"""Pools: found, made, resized, looked at, and waited for."""
