"""Runs that are broken in every way that we could think of: nothing is lost, and nothing is counted twice."""
