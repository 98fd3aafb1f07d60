"""Settings from all the places where they can be set."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.bounds import SETTINGS, Shape
from fastbatch.configuration import Configuration, resolve
from fastbatch.configuration.files import user_file
from fastbatch.errors import UsageError
from fastbatch.settings import Settings

MIB = 1 << 20


class User:
    """Somebody with a file of their own and a working directory."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder / "work"
        self.file = folder / "config" / "fastbatch" / "config.toml"
        self.project = self.cwd / "fastbatch.toml"
        self.cwd.mkdir()
        self.file.parent.mkdir(parents=True)
        self.environ = {"XDG_CONFIG_HOME": str(folder / "config"), "APPDATA": str(folder / "config")}

    def resolve(self, environ: dict[str, str] | None = None, profile: str | None = None, **flags: Any) -> Configuration:
        """Bring it together, without an account."""
        return resolve(flags, environ={**self.environ, **(environ or {})}, cwd=self.cwd, profile=profile, local=True)

    def problems(self, environ: dict[str, str] | None = None, profile: str | None = None, **flags: Any) -> list[str]:
        """Tell what is wrong, with the paths by short names."""
        with pytest.raises(UsageError) as raised:
            self.resolve(environ, profile, **flags)
        return [
            problem.replace(str(self.file), "FILE").replace(str(self.project), "PROJECT")
            for problem in raised.value.problems
        ]


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Give somebody who has set nothing."""
    return User(tmp_path)


def test_who_sets_nothing_gets_the_defaults(user: User) -> None:
    """And is told that they are."""
    found = user.resolve()

    assert (found.settings, found.account, found.profile) == (Settings(), None, None)
    assert found.origins == dict.fromkeys(SETTINGS, "default")


def test_each_place_is_stronger_than_the_one_before(user: User) -> None:
    """Top level, profile, working directory, environment, flags; each sets one more than the next."""
    names = ["top", "nodes", "slots", "task_retries", "batch_requests"]

    def lines(count: int, value: int) -> str:
        return "\n".join(f"{name} = {value}" for name in names[:count])

    user.file.write_text(f"{lines(5, 1)}\n[profiles.big]\n{lines(4, 2)}\n")
    user.project.write_text(lines(3, 3))
    found = user.resolve({"FASTBATCH_TOP": "4", "FASTBATCH_NODES": "4"}, profile="big", top=5)

    assert [getattr(found.settings, name) for name in names] == [5, 4, 3, 2, 1]
    assert [found.origins[name] for name in names] == [
        "--top",
        "environment FASTBATCH_NODES",
        str(user.project),
        f"{user.file} [profiles.big]",
        str(user.file),
    ]


def test_a_file_has_units_lists_and_plain_numbers(user: User) -> None:
    """A size may be a number of bytes, a duration one of seconds."""
    user.file.write_text(
        'bundle_size = "2MiB"\nin_flight = 134217728\ntimeout = "1h30m"\ntask_timeout = 60\n'
        'include = ["*.txt", "a b"]\nignore_case = true\nstart_command = "true"\n'
    )
    found = user.resolve().settings

    assert (found.bundle_size, found.in_flight, found.timeout, found.task_timeout) == (2 * MIB, 128 * MIB, 5400.0, 60)
    assert (found.include, found.ignore_case, found.start_command) == (("*.txt", "a b"), True, "true")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("top", " 7 ", 7),
        ("bundle_size", "2MiB", 2 * MIB),
        ("timeout", "2h", 7200.0),
        ("include", os.pathsep.join(["*.txt", "", "a b"]), ("*.txt", "a b")),
        ("pool", "warm", "warm"),
        ("start_command", "true", "true"),
        ("output", "caf\udce9", "caf\udce9"),
        *(("per_file", text, True) for text in ["1", "true", "YES"]),
        *(("keep_data", text, False) for text in ["0", "False", "no"]),
        ("top", "", 10),
    ],
)
def test_a_variable_is_read_by_what_its_setting_is(user: User, name: str, text: str, value: object) -> None:
    """An empty one is as good as none."""
    found = user.resolve({f"FASTBATCH_{name.upper()}": text})

    assert getattr(found.settings, name) == value


def text_of(name: str, value: Any) -> str:
    """Write a value as a variable has it."""
    known = SETTINGS[name]
    return os.pathsep.join(value) if known.shape is Shape.TEXTS else known.shown(value)


@settings(max_examples=100)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "top": st.integers(1, 1000),
            "ignore_case": st.booleans(),
            "include": st.lists(st.text("abc*?[]", min_size=1), min_size=1).map(tuple),
            "bundle_size": st.integers(64 << 10, 64 * MIB),
            "nodes": st.integers(0, 10**9),
            "timeout": st.floats(0.001, 180 * 86400).map(lambda seconds: round(seconds, 3)),
            "pool": st.text("abcXYZ019_-", min_size=1, max_size=64),
        },
    )
)
def test_whatever_is_set_by_a_variable_is_what_a_flag_would_set(values: dict[str, Any]) -> None:
    """The same settings come of both."""
    variables = {f"FASTBATCH_{name.upper()}": text_of(name, value) for name, value in values.items()}
    with tempfile.TemporaryDirectory() as folder:
        user = User(Path(folder))

        assert user.resolve(variables).settings == user.resolve(**values).settings == Settings(**values)


def test_a_flag_that_is_not_given_sets_nothing(user: User) -> None:
    """None and no patterns at all are not given; false is."""
    found = user.resolve({"FASTBATCH_TOP": "3", "FASTBATCH_PER_FILE": "1"}, top=None, include=(), per_file=False)

    assert (found.settings.top, found.settings.include, found.settings.per_file) == (3, (), False)
    assert (found.origins["include"], found.origins["per_file"]) == ("default", "--per-file")


def test_of_two_opposites_the_stronger_place_decides(user: User) -> None:
    """So that a flag can turn what a file says."""
    user.file.write_text("keep_pool = true")
    found = user.resolve(delete_pool=True)

    assert (found.settings.keep_pool, found.settings.delete_pool) == (False, True)
    assert found.origins["keep_pool"] == "default"


def test_two_opposites_in_one_place_are_a_problem(user: User) -> None:
    """As nobody can tell which is meant."""
    assert user.problems(keep_pool=True, delete_pool=True) == ["--keep-pool and --delete-pool exclude each other."]


@pytest.mark.parametrize(
    ("asked", "environ", "profile", "origin"),
    [
        (None, {}, "small", "FILE"),
        (None, {"FASTBATCH_PROFILE": ""}, "small", "FILE"),
        (None, {"FASTBATCH_PROFILE": "big"}, "big", "environment FASTBATCH_PROFILE"),
        ("huge", {"FASTBATCH_PROFILE": "big"}, "huge", "--profile"),
    ],
)
def test_a_profile_is_chosen_by_flag_variable_or_file(
    user: User, asked: str | None, environ: dict[str, str], profile: str, origin: str
) -> None:
    """The strongest first."""
    user.file.write_text(
        'default_profile = "small"\n'
        "[profiles.small]\nnodes = 1\n[profiles.big]\nnodes = 8\n[profiles.huge]\nnodes = 99\n"
    )
    found = user.resolve(environ, asked)

    assert (found.profile, found.settings.nodes) == (profile, {"small": 1, "big": 8, "huge": 99}[profile])
    assert found.origins["profile"].replace(str(user.file), "FILE") == origin


def test_a_profile_that_is_not_there_is_a_problem(user: User) -> None:
    """Whoever asks for it is told which there are."""
    assert user.problems(profile="big") == ["--profile: FILE has no profile 'big'. It has none."]

    user.file.write_text("[profiles.small]\n[profiles.large]")
    assert user.problems({"FASTBATCH_PROFILE": "x\x1b"}) == [
        r"FASTBATCH_PROFILE: FILE has no profile 'x\x1b'. It has large, small."
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("top = 0", "top in FILE must be from 1 to 1000, not 0."),
        ("top = true", "top in FILE must be a whole number, not True."),
        ('top = "3"', "top in FILE must be a whole number, not '3'."),
        ("top = nan", "top in FILE must be a whole number, not nan."),
        (f"top = 0x{'f' * 5000}", "top in FILE must be from 1 to 1000, not a huge number."),
        ("top = 2026-01-01", "top in FILE must be a whole number, not datetime.date(2026, 1, 1)."),
        ("timeout = inf", "timeout in FILE must be more than 0s and at most 180d, not inf."),
        ("include = '*.txt'", "include in FILE must be a list of texts, not '*.txt'."),
        ("include = [1]", "include in FILE must be a list of texts, not (1,)."),
        ("tops = 3", "FILE: 'tops' is not a setting. Did you mean top?"),
        ("bundle-size = 1", "FILE: 'bundle-size' is not a setting. Did you mean bundle_size?"),
        ("zzz = 1", "FILE: 'zzz' is not a setting."),
        ('"\\u001b[2J" = 1', r"FILE: '\x1b[2J' is not a setting."),
        ("batch_key = 'c2VjcmV0'", "FILE: batch_key belongs in the table of the account."),
        ("profiles = 1", "profiles in FILE must be a table."),
        ("default_profile = 1", "default_profile in FILE: FILE has no profile ''. It has none."),
        ("top =\n", "FILE is not TOML: Invalid value (at line 1, column 6)."),
        (f"x = {'[' * 100_000}", "FILE holds numbers that are too long, or tables that are too deep."),
        (f"x = {'9' * 5000}", "FILE holds numbers that are too long, or tables that are too deep."),
        ("#" * (MIB + 1), "FILE can't be read: it has more than 1048576 bytes."),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_wrong_in_a_file_is_told(user: User, text: str, problem: str) -> None:
    """With its place, and what was meant if that can be guessed."""
    user.file.write_text(text)

    assert user.problems() == [problem]


def test_a_file_that_is_not_utf_8_is_a_problem(user: User) -> None:
    """A byte order mark is none."""
    user.file.write_bytes(b"\xef\xbb\xbftop = 3\n")
    assert user.resolve().settings.top == 3

    user.file.write_bytes(b"# caf\xe9\n")
    assert user.problems() == ["FILE is not UTF-8 at byte 5. Save it as UTF-8."]


def test_what_is_no_file_is_a_problem(user: User) -> None:
    """A folder, or a pipe, which would never end."""
    user.file.mkdir()
    os.mkfifo(user.project)

    assert user.problems() == [
        "FILE can't be read: it is not a regular file.",
        "PROJECT can't be read: it is not a regular file.",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{key} = 'x'", f"PROJECT: {key} is not taken from a working directory. It belongs in FILE.")
        for key in [
            "batch_key",
            "batch_endpoint",
            "storage_connection_string",
            "default_profile",
            "endpoint",
            "profile",
        ]
    ]
    + [
        ("[account]\nbatch_key = 'x'", "PROJECT: account is not taken from a working directory. It belongs in FILE."),
        ("[profiles.x]", "PROJECT: profiles is not taken from a working directory. It belongs in FILE."),
        (
            "start_command = 'curl evil'",
            (
                "PROJECT: start_command is not taken from a working directory, as it runs on nodes. "
                "It belongs in FILE, FASTBATCH_START_COMMAND or --start-command."
            ),
        ),
        (
            "delete_pool = true",
            (
                "PROJECT: delete_pool is not taken from a working directory, as what it deletes may be of use to "
                "others. It belongs in FILE, FASTBATCH_DELETE_POOL or --delete-pool."
            ),
        ),
        ("tpo = 1", "PROJECT: 'tpo' is not a setting. Did you mean top?"),
    ],
)
def test_the_working_directory_sets_runs_only(user: User, text: str, problem: str) -> None:
    """Whoever wrote that file is not trusted with accounts and commands."""
    user.project.write_text(text)

    assert user.problems() == [problem]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("TOP", "many", "FASTBATCH_TOP must be a whole number, not 'many'."),
        ("TOP", "1001", "FASTBATCH_TOP must be from 1 to 1000, not 1001."),
        ("NODES", "-1", "FASTBATCH_NODES must be at least 0, not -1."),
        ("PER_FILE", "maybe", "FASTBATCH_PER_FILE must be true or false, not 'maybe'."),
        ("POOL", "a b", "FASTBATCH_POOL must have 1 to 64 letters, digits, hyphens and underscores, not 'a b'."),
        (
            "BUNDLE_SIZE",
            "64MB",
            "FASTBATCH_BUNDLE_SIZE: '64MB' can be read in two ways. Write 64MiB, or 64000000 if you mean that.",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_told(user: User, name: str, text: str, problem: str) -> None:
    """By the variable's name."""
    assert user.problems({f"FASTBATCH_{name}": text}) == [problem]


def test_all_problems_are_told_at_once(user: User) -> None:
    """From every place, even of values that a stronger place replaces."""
    user.file.write_text("top = 0\n[profiles.big]\nnoodles = 3")
    user.project.write_text("top = \n")

    assert user.problems({"FASTBATCH_NODES": "-1"}, "big", top=1001, colour=3) == [
        "FILE [profiles.big]: 'noodles' is not a setting. Did you mean nodes?",
        "top in FILE must be from 1 to 1000, not 0.",
        "PROJECT is not TOML: Invalid value (at line 1, column 7).",
        "FASTBATCH_NODES must be at least 0, not -1.",
        "'colour' is not a setting.",
        "--top must be from 1 to 1000, not 1001.",
    ]


def test_the_file_is_where_the_system_has_such_files() -> None:
    """A relative XDG_CONFIG_HOME is ignored, as its specification says."""
    home = {"HOME": "/home/me"}

    assert user_file(home, windows=False) == Path("/home/me/.config/fastbatch/config.toml")
    assert user_file({**home, "XDG_CONFIG_HOME": "here"}, windows=False) == user_file(home, windows=False)
    assert user_file({**home, "XDG_CONFIG_HOME": "/etc/me"}, windows=False) == Path("/etc/me/fastbatch/config.toml")
    assert user_file({**home, "APPDATA": "/roaming"}, windows=True) == Path("/roaming/fastbatch/config.toml")
