"""What is to be run."""

from dataclasses import dataclass

from fastbatch.model import Plan
from fastbatch.settings import Settings
from fastbatch.workload import Workload


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, under which name, and where results are kept until they are merged."""

    run: str
    uid: str  # by which its jobs are known to be ours
    job: int  # the number of its newest job
    made_pool: bool
    plan: Plan
    settings: Settings
    workload: Workload
    folder: str
