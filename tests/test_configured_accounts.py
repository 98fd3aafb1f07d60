"""Accounts from files and the environment; no secret is ever shown."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.configuration import Configuration, resolve
from fastbatch.configuration.connection import parse_connection
from fastbatch.configuration.endpoints import endpoint, takes_tokens
from fastbatch.errors import UsageError
from fastbatch.settings import Account

if TYPE_CHECKING:
    from pathlib import Path

KEY = base64.b64encode(b"the secret of a test").decode()
OTHER = base64.b64encode(b"another secret of it").decode()
AT = "https://mine.eu.batch.azure.com"
BLOBS = "https://stuff.blob.core.windows.net"
ENTRA = {"AZURE_BATCH_ACCOUNT": "mine", "AZURE_BATCH_ENDPOINT": AT, "AZURE_STORAGE_ACCOUNT": "stuff"}
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=stuff;AccountKey={KEY};EndpointSuffix=core.windows.net"


class User:
    """Somebody with a file of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "fastbatch" / "config.toml"
        self.file.parent.mkdir()

    def write(self, text: str, mode: int = 0o600) -> None:
        """Write the file."""
        self.file.write_text(text)
        self.file.chmod(mode)

    def resolve(self, environ: dict[str, str], profile: str | None = None, *, local: bool = False) -> Configuration:
        """Bring it together."""
        environ = {"XDG_CONFIG_HOME": str(self.folder), "APPDATA": str(self.folder), **environ}
        return resolve({}, environ=environ, cwd=self.folder, profile=profile, local=local)

    def account(self, profile: str | None = None, **environ: str) -> Account:
        """Give the account that comes of it; it shows no secret."""
        found = self.resolve(environ, profile)
        assert found.account
        assert KEY not in repr(found)
        assert OTHER not in repr(found)
        return found.account

    def problems(self, profile: str | None = None, **environ: str) -> list[str]:
        """Tell what is wrong; no secret is in it."""
        with pytest.raises(UsageError) as raised:
            self.resolve(environ, profile)
        assert KEY not in str(raised.value)
        assert OTHER not in str(raised.value)
        return [problem.replace(str(self.file), "FILE") for problem in raised.value.problems]


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Give somebody who has set nothing."""
    return User(tmp_path)


def test_an_account_without_keys_is_used_with_entra_id(user: User) -> None:
    """Of storage the name is enough."""
    found = user.resolve(ENTRA)

    assert found.account == Account(
        batch_account="mine", batch_endpoint=AT, storage_account="stuff", storage_endpoint=BLOBS
    )
    assert found.origins["batch_endpoint"] == "environment AZURE_BATCH_ENDPOINT"
    assert found.origins["storage_endpoint"] == "environment AZURE_STORAGE_ACCOUNT"


def test_the_variables_of_az_hold_keys(user: User) -> None:
    """Each half of the account on its own."""
    account = user.account(**ENTRA, AZURE_BATCH_ACCESS_KEY=KEY)
    assert (account.batch_key, account.storage_key) == (KEY, None)

    account = user.account(**ENTRA, AZURE_STORAGE_KEY=f"{KEY}\n")
    assert (account.batch_key, account.storage_key) == (None, KEY)


def test_a_connection_string_gives_the_storage_half(user: User) -> None:
    """Name, key and endpoint."""
    account = user.account(**{**ENTRA, "AZURE_STORAGE_CONNECTION_STRING": CONNECTION})

    assert (account.storage_account, account.storage_endpoint, account.storage_key) == ("stuff", BLOBS, KEY)


def test_what_the_local_services_print_is_understood(user: User) -> None:
    """As another program on this machine would use them."""
    account = user.account(
        AZURE_BATCH_ACCOUNT="fastbatchlocal",
        AZURE_BATCH_ACCESS_KEY=KEY,
        AZURE_BATCH_ENDPOINT="http://127.0.0.1:4711",
        AZURE_STORAGE_CONNECTION_STRING=(
            f"DefaultEndpointsProtocol=http;AccountName=fastbatchlocal;AccountKey={OTHER};"
            "BlobEndpoint=http://127.0.0.1:4712/fastbatchlocal;"
        ),
    )

    assert account == Account(
        batch_account="fastbatchlocal",
        batch_endpoint="http://127.0.0.1:4711",
        batch_key=KEY,
        storage_account="fastbatchlocal",
        storage_endpoint="http://127.0.0.1:4712/fastbatchlocal",
        storage_key=OTHER,
    )


def test_the_file_has_an_account_and_profiles_have_theirs(user: User) -> None:
    """A profile that names another account takes nothing of the first one's."""
    user.write(
        f"""
        [account]
        batch_account = "mine"
        batch_endpoint = "{AT}"
        batch_key = "{KEY}"
        storage_connection_string = "{CONNECTION}"
        [profiles.other.account]
        batch_account = "theirs"
        batch_endpoint = "theirs.us.batch.azure.com/"
        storage_account = "stuff"
        """
    )
    first, second = user.account(), user.account("other")

    assert (first.batch_account, first.batch_key, first.storage_key) == ("mine", KEY, KEY)
    assert (second.batch_endpoint, second.batch_key) == ("https://theirs.us.batch.azure.com", None)
    assert second.storage_key == KEY
    assert user.resolve({}, "other").origins["batch_account"] == f"{user.file} [profiles.other.account]"
    assert user.resolve({}, "other").origins["storage_key"] == f"{user.file} [account]"


def test_another_storage_account_takes_no_key_and_no_endpoint_of_the_one_before(user: User) -> None:
    """As they would not fit."""
    user.write(f'[account]\nstorage_connection_string = "{CONNECTION}"')
    account = user.account(**{**ENTRA, "AZURE_STORAGE_ACCOUNT": "elsewhere"})

    assert account.storage_endpoint == "https://elsewhere.blob.core.windows.net"
    assert account.storage_key is None


def test_storage_is_looked_for_in_the_cloud_of_the_batch_account(user: User) -> None:
    """As a name alone does not say it."""
    account = user.account(**{**ENTRA, "AZURE_BATCH_ENDPOINT": "mine.virginia.batch.usgovcloudapi.net"})

    assert account.storage_endpoint == "https://stuff.blob.core.usgovcloudapi.net"


def test_local_runs_ignore_all_that_is_said_of_accounts(user: User) -> None:
    """Even what is wrong with it."""
    user.write(f'top = 3\n[account]\nbatch_key = "{KEY}"\nx = 1', mode=0o644)
    found = user.resolve({"AZURE_BATCH_ENDPOINT": "http://evil.example", "AZURE_BATCH_ACCESS_KEY": "x"}, local=True)

    assert (found.account, found.settings.top) == (None, 3)
    assert "batch_key" not in found.origins


def test_each_missing_piece_is_told_with_its_places(user: User) -> None:
    """The variable and the key in the file."""
    assert user.problems() == [
        "No account is given; only --local needs none.",
        "The Batch account is not known. Set AZURE_BATCH_ACCOUNT, or batch_account under [account] in FILE.",
        (
            "The endpoint of the Batch account is not known. "
            "Set AZURE_BATCH_ENDPOINT, or batch_endpoint under [account] in FILE."
        ),
        (
            "The storage account is not known. Set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING, "
            "or storage_account under [account] in FILE."
        ),
    ]
    assert len(user.problems(AZURE_STORAGE_CONNECTION_STRING=CONNECTION)) == 2


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
@pytest.mark.parametrize(
    "table", [f'[account]\nbatch_key = "{KEY}"', f'[profiles.x.account]\nstorage_connection_string = "{CONNECTION}"']
)
def test_a_file_with_a_key_must_be_closed_to_others(user: User, mode: int, table: str) -> None:
    """Whichever profile is used."""
    user.write(table, mode)

    assert user.problems(**ENTRA) == ["FILE holds a key, and others can read it. Run: chmod 600 FILE"]


def test_a_file_without_a_key_may_be_open(user: User) -> None:
    """There is nothing in it to be read."""
    user.write('[account]\nbatch_account = "mine"', 0o644)

    assert user.account(**ENTRA).batch_account == "mine"


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("AZURE_BATCH_ACCOUNT", KEY, "must be the name of an account: 3 to 24 small letters and digits."),
        ("AZURE_STORAGE_ACCOUNT", "a.b/c", "must be the name of an account: 3 to 24 small letters and digits."),
        ("AZURE_BATCH_ACCESS_KEY", f"{KEY}*", "must be a key as the portal shows it, in base64."),
        ("AZURE_STORAGE_KEY", "ключ", "must be a key as the portal shows it, in base64."),
        ("AZURE_BATCH_ENDPOINT", KEY, "must have the name or address of a host."),
        ("AZURE_BATCH_ENDPOINT", f"{AT}?sig={KEY}", "must have no user, no question mark and no #, as keys and SAS"),
        ("AZURE_BATCH_ENDPOINT", "http://mine.eu.batch.azure.com", "must begin with https://, as http:// is for this"),
    ],
)
def test_what_is_wrong_is_told_without_what_it_is(user: User, variable: str, value: str, problem: str) -> None:
    """As a key may have got into the wrong variable."""
    (told,) = user.problems(**{**ENTRA, variable: value})

    assert told.startswith(f"{variable} {problem}")


def test_what_is_wrong_in_the_file_is_told_without_what_it_is(user: User) -> None:
    """Keys of the wrong type, unknown ones, tables that are none."""
    user.write(f'[account]\nbatch_keys = "{KEY}"\nstorage_key = ["{KEY}"]')
    assert user.problems(**ENTRA) == [
        "FILE [account]: 'batch_keys' is not a piece of an account. Did you mean batch_key?",
        "storage_key in FILE [account] must be a text.",
    ]

    user.write(f'account = "{KEY}"')
    assert user.problems(**ENTRA) == ["FILE [account] must be a table."]


def test_two_storage_accounts_in_one_place_are_a_problem(user: User) -> None:
    """As data must not go to the wrong one."""
    told = user.problems(**{**ENTRA, "AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_CONNECTION_STRING": CONNECTION})

    assert told == [
        "AZURE_STORAGE_CONNECTION_STRING and AZURE_STORAGE_ACCOUNT name two accounts. Take one of them away."
    ]


@pytest.mark.parametrize(
    "at",
    [
        "https://batch.azure.com",
        "https://evilbatch.azure.com",
        "https://x.batch.azure.com.evil.example",
        "https://x.batch.azure.com:1@evil.example",
        "https://evil.example\\@x.batch.azure.com",
        "https://evil.example/x.batch.azure.com",
        "https://evil.example#.batch.azure.com",
        "https://x.blob.core.windows.net",
        "https://127.0.0.1:4711",
        "http://127.0.0.1:4711",
        "https://x.batch.azure.com.",
    ],
)
def test_no_token_goes_anywhere_but_to_azure(user: User, at: str) -> None:
    """Without a key such an endpoint is a problem, however it is disguised."""
    (told,) = user.problems(**{**ENTRA, "AZURE_BATCH_ENDPOINT": at})

    assert told.startswith("AZURE_BATCH_ENDPOINT ")


def test_with_a_key_any_endpoint_will_do(user: User) -> None:
    """A signature gives nothing away."""
    told = user.problems(**{**ENTRA, "AZURE_BATCH_ENDPOINT": "https://batch.corp.example"})
    assert told == [
        (
            "AZURE_BATCH_ENDPOINT is not one of Azure's (.batch.azure.com, .batch.chinacloudapi.cn, "
            ".batch.usgovcloudapi.net), and no other is sent a token of Entra ID. "
            "Give the Batch account's key: set AZURE_BATCH_ACCESS_KEY."
        )
    ]

    account = user.account(
        **{**ENTRA, "AZURE_BATCH_ENDPOINT": "https://batch.corp.example", "AZURE_BATCH_ACCESS_KEY": KEY}
    )
    assert account.batch_endpoint == "https://batch.corp.example"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("mine.eu.batch.azure.com", AT),
        ("  HTTPS://Mine.EU.batch.azure.com// ", AT),
        ("http://127.0.0.1:4711/", "http://127.0.0.1:4711"),
        ("http://127.9.9.9/name/", "http://127.9.9.9/name"),
        ("http://localhost:1/a", "http://localhost:1/a"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("example.com:8443", "https://example.com:8443"),
    ],
)
def test_an_endpoint_has_one_form(text: str, form: str) -> None:
    """Without a scheme it is https; a slash at its end is no part of it."""
    assert endpoint(text) == form
    assert endpoint(form) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://",
        "http://example.com",
        "http://128.0.0.1",
        "http://0.0.0.0",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://[::2]",
        "https://[::1",
        "https://a:99999",
        "https://a:b",
        "https://me@example.com",
        "https://example.com?x",
        "https://example.com#x",
        "https://example.com/container",
        "ftp://example.com",
        "https://a b",
        "https://a_b",
        "https://exämple.com",
    ],
)
def test_an_endpoint_that_is_none_is_refused(text: str) -> None:
    """So are plain http to other machines, secrets in a URL, and paths of other machines."""
    with pytest.raises(ValueError, match=r"^must "):
        endpoint(text)


@given(st.text(max_size=40), st.sampled_from(["batch", "storage"]))
def test_an_endpoint_takes_tokens_only_under_the_domains_of_azure(text: str, service: str) -> None:
    """Whatever it is made of."""
    try:
        at = endpoint(f"{text}.batch.azure.com")
    except ValueError:
        return

    assert takes_tokens(service, at) == (service == "batch" and at.startswith("https://"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (CONNECTION, {"storage_account": "stuff", "storage_key": KEY, "storage_endpoint": BLOBS}),
        ("AccountName=stuff", {"storage_account": "stuff", "storage_endpoint": BLOBS}),
        (
            f" accountname=stuff ; ACCOUNTKEY={KEY};BlobEndpoint=https://x.example/;;",
            {"storage_account": "stuff", "storage_key": KEY, "storage_endpoint": "https://x.example/"},
        ),
        (
            f"AccountName=stuff;AccountKey={KEY};SharedAccessSignature=sig;EndpointSuffix=core.chinacloudapi.cn",
            {
                "storage_account": "stuff",
                "storage_key": KEY,
                "storage_endpoint": "https://stuff.blob.core.chinacloudapi.cn",
            },
        ),
    ],
)
def test_a_connection_string_is_read_in_all_its_forms(text: str, pieces: dict[str, str]) -> None:
    """Names in any letters; keys end with equals signs."""
    assert parse_connection(text) == pieces


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("UseDevelopmentStorage=true", "UseDevelopmentStorage does not. For storage on this machine use --local"),
        (f"BlobEndpoint={BLOBS};SharedAccessSignature=sv=1&sig={KEY}", "must have an AccountKey; one with a SAS only"),
        (f"AccountKey={KEY}", "must have an AccountName"),
        (f"AccountName=stuff/../x;AccountKey={KEY}", "must have an AccountName"),
        (f"AccountName=stuff;AccountName=other;AccountKey={KEY}", "each name once"),
        ("", "must have an AccountName"),
        ("nonsense", "must be NAME=VALUE parts"),
        (f"DefaultEndpointsProtocol=http;AccountName=stuff;AccountKey={KEY}", "must begin with https://, as http://"),
        (f"AccountName=stuff;AccountKey={KEY};BlobEndpoint={BLOBS}?sig={OTHER}", "must have no user, no question mark"),
        (f"AccountName=stuff;AccountKey=*{KEY}", "must be a key as the portal shows it"),
    ],
)
def test_a_connection_string_that_will_not_do_is_told_why(user: User, text: str, problem: str) -> None:
    """Without anything of what is in it."""
    user.write(f"[account]\nstorage_connection_string = '{text}'")
    told = user.problems(AZURE_BATCH_ACCOUNT="mine", AZURE_BATCH_ENDPOINT=AT)

    assert len(told) == 1
    assert problem in told[0]
    assert "storage_connection_string in FILE [account]" in told[0]
