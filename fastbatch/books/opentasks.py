"""The tasks that the service has and that are not known to be completed."""

from collections import Counter

from fastbatch.model import Task


class OpenTasks:
    """Tasks, each in a job."""

    def __init__(self) -> None:
        self._jobs: dict[Task, int] = {}  # by task
        self._in_job: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, task: Task) -> bool:
        return task in self._jobs

    @property
    def jobs(self) -> list[int]:
        """Give the jobs that have any."""
        return sorted(job for job, tasks in self._in_job.items() if tasks)

    def job_of(self, task: Task) -> int | None:
        """Tell in which job a task is, if it is open."""
        return self._jobs.get(task)

    def open(self, task: Task, job: int) -> None:
        """Note that a job has a task."""
        self.close(task)
        self._jobs[task] = job
        self._in_job[job] += 1

    def close(self, task: Task) -> None:
        """Note that nothing more is to come of a task."""
        job = self._jobs.pop(task, None)
        if job is not None:
            self._in_job[job] -= 1
