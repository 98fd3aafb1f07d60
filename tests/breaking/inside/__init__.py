"""What goes into a client's own process: a `sitecustomize`, which Python imports before all else."""
