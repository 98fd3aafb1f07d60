"""Runs as a whole: driven, followed, cancelled, cleared away."""
