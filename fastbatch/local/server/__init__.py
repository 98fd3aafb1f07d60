"""The wire: HTTP in front of the operations. Nothing else in the service knows of it."""
