"""What is secret in texts that services and systems say."""

import re

_SECRETS = re.compile(r"(?<=://)[^/@\s'\"]+@|\?[^\s'\"]+")


def masked(text: str) -> str:
    """Give a text without what may be secret in its URLs: queries, and the names and passwords of proxies."""
    return _SECRETS.sub("", text)
