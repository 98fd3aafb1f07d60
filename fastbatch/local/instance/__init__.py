"""The local services as background processes: started, stopped, watched, each instance with a home of its own."""
