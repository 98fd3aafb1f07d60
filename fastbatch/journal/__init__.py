"""The journal: the storage of the ledgers of all runs, in one file; the only state of runs."""
