"""Operations on the preparation and release tasks of jobs."""

from fastbatch.local import filters
from fastbatch.local.errors import Refused
from fastbatch.local.operations import jobs, listing
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Errand, Job
from fastbatch.local.states.errands import PREPARATION, RELEASE
from fastbatch.local.views import PREPARATION_AND_RELEASE, Context

_OF_RELEASE = (
    "(SELECT json_extract(release.info, '$.{}') FROM errands AS release"
    " WHERE release.job = errands.job AND release.node = errands.node AND release.kind = 'release')"
)
_TIMES_AND_STATE = ("state", "startTime", "endTime", "exitCode")
_STATUSES = Listing(
    Errand,
    PREPARATION_AND_RELEASE,
    "jobpreparationandreleasestatuslist",
    filters.PREPARATIONS,
    {
        "poolId": "pool_id",
        "nodeId": "node_id",
        **{f"jobPreparationTaskExecutionInfo/{name}": f"json_extract(info, '$.{name}')" for name in _TIMES_AND_STATE},
        **{f"jobReleaseTaskExecutionInfo/{name}": _OF_RELEASE.format(name) for name in _TIMES_AND_STATE},
    },
)


def list_statuses(call: Call) -> Answer:
    """List how a job's preparation and release went on each node that has begun them, also on those that are gone."""
    job = jobs.find(call)
    if not job.prepares:
        raise Refused("JobPreparationTaskNotSpecified", f"The job {job.id} has no jobPreparationTask.")
    return listing.answer(
        call,
        _STATUSES,
        lambda page, _: [_context(call, job, errand) for errand in page],
        "job = ? AND kind = ?",
        [job.key, PREPARATION],
    )


def _context(call: Call, job: Job, preparation: Errand) -> Context:
    context = call.context(job.id)
    context.release = next(
        call.core.store.select(Errand, "job = ? AND node = ? AND kind = ?", [job.key, preparation.node, RELEASE]), None
    )
    return context
