"""Tests of the node, in this Python and in the oldest that it must run in."""
