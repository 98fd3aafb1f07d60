"""Where a run is at work."""

from dataclasses import dataclass

from fastbatch.azure.services import Services
from fastbatch.stages.ground import Ground
from fastbatch.stages.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Site:
    """The services, and what a run has there."""

    services: Services
    ground: Ground
    jobs: Jobs
