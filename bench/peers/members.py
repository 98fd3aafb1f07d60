"""Count the words of each member of a tar, and of all together, in the best plain Python known."""

import json
import string
import sys
import tarfile
from collections import Counter

_, bundle, top, output = sys.argv
members = {}
whole: Counter[str] = Counter()
with tarfile.open(bundle) as archive:
    for member in archive:
        file = archive.extractfile(member)
        if file is None:
            continue
        counts: Counter[str] = Counter()
        for token, count in Counter(file.read().decode("utf-8-sig", "replace").split()).items():
            if word := token.strip(string.punctuation):
                counts[word] += count
        whole.update(counts)
        members[member.name] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: int(top)]
with open(output, "w", encoding="utf-8") as result:
    for word in sorted(whole):
        result.write(f"{whole[word]}\t{word}\n")
print(json.dumps({"words": whole.total(), "distinct": len(whole), "members": members}))
