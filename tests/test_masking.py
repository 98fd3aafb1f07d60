"""What is secret in what services say is not repeated."""

import pytest

from fastbatch.masking import masked


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("BlobSource: https://a.blob.example/c/b?sv=1&sig=abc%2B", "BlobSource: https://a.blob.example/c/b"),
        ("url='http://alice:secret@proxy:8080' refused", "url='http://proxy:8080' refused"),
        ("two https://a/b?sig=x and https://c/d?sig=y.", "two https://a/b and https://c/d"),
        ("is it there? yes", "is it there? yes"),
    ],
)
def test_queries_and_passwords_of_urls_are_left_out(said: str, repeated: str) -> None:
    """And nothing else."""
    assert masked(said) == repeated
