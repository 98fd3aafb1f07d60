"""How a run is, in words."""

from fastbatch.journal.records import Phase, RunRecord


def in_words(record: RunRecord, *, held: bool) -> str:
    """Say how a run is, that a process drives or not."""
    return f"{_reached(record, held=held)}, cleaned" if record.cleaned else _reached(record, held=held)


def _reached(record: RunRecord, *, held: bool) -> str:
    match record.phase:
        case Phase.GOING:
            return "going" if held else "broken off"
        case Phase.DETACHED:
            return "detached"
        case Phase.CANCELLED:
            return "cancelled"
        case Phase.OVER:
            missing = {"failed": record.books.failed, "open": record.books.open}
            return ", ".join(f"{count:,} {what}" for what, count in missing.items() if count) or "done"
