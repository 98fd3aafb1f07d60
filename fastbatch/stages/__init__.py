"""What a run goes through, a file for each stage."""
