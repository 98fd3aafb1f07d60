"""The files of a node's tasks."""
