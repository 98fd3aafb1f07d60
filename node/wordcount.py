"""Count words: the program that runs on a compute node (see README.md beside it)."""

import sys

from counting.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
