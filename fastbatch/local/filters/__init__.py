"""
The `$filter` of a listing: read once, then asked as SQL or of a record in Python, with the same answer.

    filter     = both ("or" both)*
    both       = single ("and" single)*
    single     = "(" filter ")" | property operator literal | "startswith" "(" property "," string ")"
    operator   = "eq" | "ne" | "gt" | "ge" | "lt" | "le"
    literal    = 'it''s' | -5 | true | DateTime'2011-05-08T08:49:37Z' | DateTime'Sun, 08 May 2011 08:49:37 GMT'

Texts are ordered by code point, after folding the ASCII letters and no others to lower case: that is SQLite's NOCASE,
which an index declared with it can follow. Literals hold no NUL, at which NOCASE would stop reading, and no surrogates,
which UTF-8 can't write. A property without a value matches nothing, `ne` included; as nothing negates, SQL's unknown
and Python's False then always lead to the same answer.
"""

from fastbatch.local.filters.expression import Expression
from fastbatch.local.filters.properties import (
    FILES,
    IMAGES,
    JOBS,
    NODE_COUNTS,
    NODES,
    POOLS,
    PREPARATIONS,
    TASKS,
    Property,
)
from fastbatch.local.filters.reading import DEEPEST, HEAVIEST, LONGEST, MOST_COMPARISONS, InvalidFilter, parse

__all__ = [
    "DEEPEST",
    "FILES",
    "HEAVIEST",
    "IMAGES",
    "JOBS",
    "LONGEST",
    "MOST_COMPARISONS",
    "NODES",
    "NODE_COUNTS",
    "POOLS",
    "PREPARATIONS",
    "TASKS",
    "Expression",
    "InvalidFilter",
    "Property",
    "parse",
]
