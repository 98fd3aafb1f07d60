"""The lives of pools, nodes, jobs, tasks and errands: pure functions from a record and a time to the next record."""
