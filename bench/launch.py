"""
Run a command, and write what it took to standard error: seconds, seconds of CPU, and the most memory, in bytes.

CPU is that of the command and of all that it waited for; memory is that of the largest process among them. A program of
its own, and a small one: what a process is said to have used includes what started it.
"""

import os
import resource
import subprocess
import sys
import time

start = time.perf_counter()
code = subprocess.call(sys.argv[1:])
seconds = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss << 10, file=sys.stderr)
os._exit(code)
