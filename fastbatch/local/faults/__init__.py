"""Misbehaving on order: a plan of what is to go wrong with calls of Batch, with the storage, and on the nodes."""
