"""What each operation of the Batch API does, as functions from a call to an answer."""
