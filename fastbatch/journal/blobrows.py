"""The rows of the blobs that runs of here made."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastbatch.books.standing import Standing

INSERT = "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)"  # when it was first noted is when it was stored

# Those in the storage account of a run that it made or that it has, and that no other run there has.
ONLY_OURS = """
WITH
    near AS (
        SELECT key, cleaned FROM runs WHERE storage = (SELECT storage FROM runs WHERE key = :run)
    ),
    here AS (
        SELECT digest, max(stored) AS stored, max(run = :run) AS own FROM blobs
        WHERE run IN (SELECT key FROM near) GROUP BY digest
    )
SELECT digest, stored FROM here
WHERE (own OR digest IN (SELECT digest FROM bundles WHERE run = :run))
AND digest NOT IN (
    SELECT digest FROM bundles
    WHERE digest IS NOT NULL AND run IN (SELECT key FROM near WHERE key != :run AND NOT cleaned)
)
ORDER BY digest
"""

FORGET = """
DELETE FROM blobs WHERE digest = ? AND run IN (
    SELECT key FROM runs WHERE storage = (SELECT storage FROM runs WHERE key = ?)
)
"""


def blobs_out(key: int, standings: Mapping[str, Standing], now: int) -> Iterator[tuple[Any, ...]]:
    """Give a row for each blob that the run stored itself."""
    for standing in standings.values():
        if standing.uploaded and standing.blob is not None:
            yield bytes.fromhex(standing.blob.digest), key, now
