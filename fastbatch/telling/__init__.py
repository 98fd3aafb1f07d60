"""What can be told of runs: what they would do, how they stand, how fast they go, and why inputs failed."""
