"""What happens on nodes: folders, files that come and go, and processes."""
