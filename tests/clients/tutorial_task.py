"""What a task of the tutorial runs: it prints and writes the most frequent words of a file."""
# ruff: noqa: T201
# It is there to print.

import argparse
import collections
import string
from pathlib import Path


def main() -> None:
    """Count the words of the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--filepath", type=Path, required=True)
    parser.add_argument("--numwords", type=int, required=True)
    options = parser.parse_args()

    words = (word.strip(string.punctuation) for word in options.filepath.read_text().split())
    counts = collections.Counter(words).most_common(options.numwords)
    lines = "".join(f"{word}\t{count}\n" for word, count in counts)
    print(lines, end="")
    Path(f"{options.filepath.stem}_OUTPUT.txt").write_text(lines)


if __name__ == "__main__":
    main()
