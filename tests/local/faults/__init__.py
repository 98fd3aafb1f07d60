"""Tests of what goes wrong on order."""
