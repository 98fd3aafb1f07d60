"""How many nodes, tested."""
