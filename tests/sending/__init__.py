"""How requests are sent, tested."""
