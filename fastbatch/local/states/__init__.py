"""The lives of pools, nodes, jobs and tasks: pure functions from a record and a time to the next record."""
