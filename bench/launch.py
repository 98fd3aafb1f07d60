"""
Run a command, and write the seconds it took and the most memory it used, in bytes, to standard error.

A program of its own, and a small one: what a process is said to have used includes what started it.
"""

import os
import resource
import subprocess
import sys
import time

start = time.perf_counter()
code = subprocess.call(sys.argv[1:])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
print(seconds, peak, file=sys.stderr)
os._exit(code)
