"""What can be told of runs, tested."""
