"""What is to be run."""

from dataclasses import dataclass

from fastbatch.model import Plan
from fastbatch.settings import Settings
from fastbatch.workload import Workload


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, under which name, and where results are kept until they are merged."""

    run: str
    plan: Plan
    settings: Settings
    workload: Workload
    folder: str
