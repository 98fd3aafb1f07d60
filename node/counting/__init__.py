"""An exact, streaming word counter: standard library only, Python 3.8 and later."""
