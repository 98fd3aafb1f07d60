"""Count words in the best plain Python known: in chunks of 64 KiB of text, and tokens before they are cleaned."""

import string
import sys
from collections import Counter

ignore_case = sys.argv[2:] == ["--ignore-case"]
tokens: Counter[str] = Counter()
with open(sys.argv[1], encoding="utf-8") as file:
    while chunk := file.read(65536):
        chunk += file.readline()
        tokens.update(chunk.lower().split() if ignore_case else chunk.split())
counts: Counter[str] = Counter()
for token, count in tokens.items():
    if word := token.strip(string.punctuation):
        counts[word] += count
for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]:
    print(f"{count}\t{word}")
print(f"{counts.total()} words, {len(counts)} distinct")
