"""The books of a run: what happened, where every bundle and every input is, and what is to be done next."""
