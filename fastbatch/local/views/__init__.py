"""
How records look on the wire: for each kind a table of its properties, in the wire's names.

A property is a function of a record and its context; one that gives None is left out. The properties that the client
gave are shown as they were given, and are read only if they are asked for.
"""

from fastbatch.local.views.addresses import location
from fastbatch.local.views.errands import PREPARATION_AND_RELEASE
from fastbatch.local.views.jobs import JOB
from fastbatch.local.views.nodes import NODE
from fastbatch.local.views.pools import POOL
from fastbatch.local.views.showing import Context, View, etag, render, selection
from fastbatch.local.views.tasks import GIVEN_BY_TASK, TASK

__all__ = [
    "GIVEN_BY_TASK",
    "JOB",
    "NODE",
    "POOL",
    "PREPARATION_AND_RELEASE",
    "TASK",
    "Context",
    "View",
    "etag",
    "location",
    "render",
    "selection",
]
