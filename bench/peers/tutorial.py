"""Count words as Microsoft's Batch tutorial for Python does: read it all, strip each word, count."""

import string
import sys
from collections import Counter

with open(sys.argv[1], encoding="utf-8") as file:
    words = file.read().split()
counts = Counter(word for word in (word.strip(string.punctuation) for word in words) if word)
for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]:
    print(f"{count}\t{word}")
print(f"{counts.total()} words, {len(counts)} distinct")
