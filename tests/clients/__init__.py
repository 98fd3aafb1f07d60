"""Clients of other makes and ages, against the local Batch service."""
