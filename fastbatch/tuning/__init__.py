"""How many nodes: runs measured by node count, what they follow, and what that recommends."""
