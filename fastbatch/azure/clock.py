"""What time it is for a service."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class ServiceClock:
    """A clock that is set by the dates of a service's answers and runs on between them: this machine's may be wrong."""

    def __init__(self) -> None:
        self._heard: datetime | None = None
        self._at = 0.0

    def hear(self, date: str | None) -> None:
        """Set it by the Date of an answer that just arrived."""
        if not date:
            return
        try:
            heard = parsedate_to_datetime(date)
        except ValueError:
            return
        self._heard = heard if heard.tzinfo else heard.replace(tzinfo=UTC)
        self._at = time.monotonic()

    def now(self) -> datetime:
        """Give the service's time; as long as it said none, this machine's."""
        if self._heard is None:
            return datetime.now(UTC)
        return self._heard + timedelta(seconds=time.monotonic() - self._at)
