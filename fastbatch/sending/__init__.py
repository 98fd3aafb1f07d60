"""How requests are sent to a service: how fast, how often, and again."""
