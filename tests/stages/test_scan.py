"""What is named becomes items: each file once, whatever it is called, and nothing is left out in silence."""

import glob
import io
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.errors import UsageError
from fastbatch.model import Item
from fastbatch.stages.scan import collisions, distinct, read_list, scan

NOBODY = 65534
ODD_NAMES = [
    b"\xff\xfe.txt",
    b"a\nb.txt",
    b"-rf",
    b"--",
    b"$(x)",
    b"`x`",
    b"a b",
    b" ",
    b"'",
    b'"',
    b"\\",
    b"a\\n",
    b"\x1b[31m",
    b"~",
    b"*",
    b"[a]",
    b"?",
    "\u202egnp.txt".encode(),
    "שלום.txt".encode(),
    "e\u0301".encode(),
    "é".encode(),
    "🙂".encode(),
    b"x" * 255,
]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder `corpus` in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def write(folder: Path, *names: str) -> None:
    """Write files, each with its name in it."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def named(*inputs: str | Path, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> list[str]:
    """Give the names of what a scan finds."""
    return [item.name for item in scan([*map(str, inputs)], include=tuple(include), exclude=tuple(exclude))]


def problems(*inputs: str | Path, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> tuple[str, ...]:
    """Give what is wrong with the inputs."""
    with pytest.raises(UsageError) as raised:
        scan([*map(str, inputs)], include=tuple(include), exclude=tuple(exclude))
    return raised.value.problems


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be one whom permissions stop: root becomes nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(NOBODY)
    except PermissionError:
        pytest.skip("nothing is unreadable to this user")
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """Make a folder that everyone can come to."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder).resolve()
        path.chmod(0o755)
        yield path
        for inner in path.iterdir():
            if not inner.is_symlink():
                inner.chmod(0o755)


# Folders


def test_a_folder_means_all_files_below_it_by_their_names_in_it(corpus: Path) -> None:
    """Not by the folder's own name."""
    write(corpus, "b.txt", "a/b.txt", "a/deep/er/c")

    assert named("corpus") == ["a/b.txt", "a/deep/er/c", "b.txt"]


def test_an_item_tells_where_the_file_is_and_what_it_was(corpus: Path) -> None:
    """With an absolute path."""
    write(corpus, "a/b.txt")
    os.utime(corpus / "a/b.txt", ns=(1, 1_234_567_890_123_456_789))

    assert scan(["corpus"]) == (Item(f"{corpus}/a/b.txt", "a/b.txt", 7, 1_234_567_890_123_456_789),)


def test_items_are_in_the_order_of_their_names_bytes(corpus: Path) -> None:
    """Which is neither that of the letters nor that of the folders."""
    write(corpus, "a/b", "a-b", "a.b", "é", "z", "B", "\udcc3")

    found = scan(["corpus"])

    assert [item.raw_name for item in found] == [b"B", b"a-b", b"a.b", b"a/b", b"z", b"\xc3", "é".encode()]


@pytest.mark.parametrize("spelled", [".", "./", "../corpus", "../corpus/", "{corpus}", "/{corpus}", "./../corpus/./"])
def test_however_a_folder_is_spelled_its_files_have_the_same_names(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, spelled: str
) -> None:
    """And the same paths."""
    write(corpus, "a/b.txt")
    monkeypatch.chdir(corpus)

    assert scan([spelled.format(corpus=corpus)]) == scan([str(corpus)])
    assert scan([spelled.format(corpus=corpus), str(corpus)]) == scan([str(corpus)])


def test_hidden_files_are_not_meant_unless_they_are_named(corpus: Path) -> None:
    """Nor what is in hidden folders."""
    write(corpus, "seen", ".hidden", ".git/config", ".git/.deep", "a/.hidden", "a/seen")

    assert named("corpus") == ["a/seen", "seen"]
    assert named("corpus/.hidden") == [".hidden"]
    assert named("corpus/.git") == ["config"]
    assert named("corpus", "corpus/.git") == [".git/config", "a/seen", "seen"]


def test_two_thousand_files_are_two_thousand_items(corpus: Path) -> None:
    """In twenty folders, where they have the same names."""
    for folder in range(20):
        write(corpus, *(f"d{folder}/{number}.txt" for number in range(100)))

    assert set(named("corpus")) == {f"d{folder}/{number}.txt" for folder in range(20) for number in range(100)}


# Names


def test_every_name_that_a_file_can_have_works(corpus: Path) -> None:
    """In a folder, named itself with its folder before it or with none, and by a list."""
    for name in ODD_NAMES:
        Path(os.fsdecode(os.fsencode(corpus) + b"/" + name)).write_bytes(name)
    expected = sorted(ODD_NAMES)
    paths = [os.fsdecode(b"corpus/" + name) for name in ODD_NAMES]

    assert [item.raw_name for item in scan(["corpus"])] == expected
    assert [item.raw_name for item in scan(paths)] == expected
    assert [item.raw_name for item in scan(["corpus/*"])] != expected  # as there is a file of that very name
    assert [item.raw_name for item in scan(["corpus/**"])] == expected
    os.chdir(corpus)
    assert [item.raw_name for item in scan([os.fsdecode(name) for name in ODD_NAMES])] == expected
    assert all(Path(item.path).read_bytes() == item.raw_name for item in scan(["."]))


def test_folders_of_odd_names_work(corpus: Path) -> None:
    """Also before wildcards."""
    for name in ODD_NAMES:
        folder = os.fsdecode(os.fsencode(corpus) + b"/" + name)
        write(Path(folder), "x")

    assert [item.raw_name for item in scan(["corpus"])] == sorted(name + b"/x" for name in ODD_NAMES)
    assert named("corpus/a\nb.txt/?") == ["x"]
    assert named("corpus/-rf/*") == ["x"]


# Globs


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("corpus/*.txt", ["a.txt", "b.txt"]),
        ("corpus/?.txt", ["a.txt", "b.txt"]),
        ("corpus/[b-z].txt", ["b.txt"]),
        ("corpus/[!b].*", ["a.txt"]),
        ("corpus/**/*.txt", ["a.txt", "b.txt", "sub/a.txt", "sub/sub/c.txt"]),
        ("corpus/**/sub/*.txt", ["sub/a.txt", "sub/sub/c.txt"]),
        ("corpus/**/**/c.txt", ["sub/sub/c.txt"]),
        ("corpus/**", ["a.txt", "b.txt", "sub/a.txt", "sub/d.csv", "sub/sub/c.txt"]),
        ("corpus/sub/**", ["a.txt", "d.csv", "sub/c.txt"]),
        ("corpus/s*", ["sub/a.txt", "sub/d.csv", "sub/sub/c.txt"]),
        ("corpus/*/", ["sub/a.txt", "sub/d.csv", "sub/sub/c.txt"]),
        ("corpus/*/**", ["sub/a.txt", "sub/d.csv", "sub/sub/c.txt"]),
        ("corpus/./s*/./[a].txt", ["sub/a.txt"]),
        ("./corp*//a.txt", ["corpus/a.txt"]),
        ("corpus/sub/../[a].txt", ["a.txt"]),
        ("corpus/.*", [".git/x.txt", ".h.txt"]),
        ("corpus/.git/*", ["x.txt"]),
        ("corpus/*/.h*", ["sub/.h.txt"]),
        ("corpus/**/.h*", [".h.txt", "sub/.h.txt"]),
        ("corpus/[.]*", None),
        ("corpus/a.txt/*", None),
        ("corpus/*.TXT", None),
        ("nowhere/*", None),
        ("corpus/[", None),
    ],
)
def test_a_glob_means_what_matches_by_the_names_behind_its_last_plain_folder(
    corpus: Path, pattern: str, names: list[str] | None
) -> None:
    """Nothing at all is a mistake."""
    write(corpus, "a.txt", "b.txt", "sub/a.txt", "sub/d.csv", "sub/sub/c.txt", ".h.txt", ".git/x.txt", "sub/.h.txt")

    if names is None:
        (problem,) = problems(pattern, corpus / "a.txt")
        assert problem == f'"{pattern}" matches no file; check the pattern, and the folder it starts in'
    else:
        assert named(pattern) == names
        assert named(f"{corpus.parent}/{pattern}") == names


def found_by(pattern: str, top: Path) -> set[str]:
    """Give what a pattern finds, by the names in a folder; that may be nothing."""
    try:
        return {os.path.relpath(item.path, top) for item in scan([pattern])}
    except UsageError:
        return set()


PARTS = ["a", "b", "ab", ".a"]
trees = st.sets(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join), min_size=1, max_size=12)
patterns = st.lists(st.sampled_from(["a", "*", "**", "?", "[ab]", "a*", "*b", ".*", ".a"]), min_size=1, max_size=4)


@given(files=trees, parts=patterns)
def test_a_glob_means_what_the_standard_library_says(files: set[str], parts: list[str]) -> None:
    """And what is below the folders among that."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder).resolve()
        for name in sorted(files, key=len, reverse=True):
            if not (top / name).exists() and not any(parent.is_file() for parent in (top / name).parents):
                write(top, name)
        matched = glob.glob("/".join(parts), root_dir=top, recursive=True)
        expected = {name for name in matched if (top / name).is_file()}
        for name in matched:
            below = glob.glob("**", root_dir=top / name, recursive=True) if (top / name).is_dir() else []
            expected |= {os.path.normpath(f"{name}/{inner}") for inner in below if (top / name / inner).is_file()}
        found = found_by(f"{top}/{'/'.join(parts)}", top)

    assert found == expected


def test_it_does_not_matter_whether_the_shell_expands_a_glob(corpus: Path) -> None:
    """Where it can."""
    write(corpus, "a.txt", "b b.txt", "-c.txt", "sub/a.txt", "sub/sub/c.txt", "other/a.txt", ".hidden", "*")
    for pattern in ("corpus/*.txt", "corpus/*/*.txt", "corpus/*/[as]*", "corpus/[!.]*"):
        printed = subprocess.run(["sh", "-c", f"printf '%s\\0' {pattern}"], capture_output=True, check=True).stdout

        assert scan(read_list(io.BytesIO(printed), nul=True)) == scan([pattern])


def test_what_is_there_under_that_very_name_is_no_glob(corpus: Path) -> None:
    """A file as well as a folder."""
    write(corpus, "[a]", "a", "*/x", "b/x")

    assert named("corpus/[a]") == ["[a]"]
    assert named("corpus/*") == ["x"]
    assert [item.path for item in scan(["corpus/*"])] == [f"{corpus}/*/x"]


def test_dots_behind_a_wildcard_are_refused(corpus: Path) -> None:
    """As the names would lead out of where they are put."""
    write(corpus, "a/b")

    (problem,) = problems("corpus/*/../a/b")
    assert problem == "\"corpus/*/../a/b\" has '..' behind a wildcard; name the folder that is meant"


# Several inputs


def test_what_is_named_several_times_counts_once(corpus: Path) -> None:
    """By itself, by its folder, by a glob, and in other words."""
    write(corpus, "x", "y")

    once = scan(["corpus"])
    assert scan(["corpus/x", "./corpus/x", str(corpus / "x"), "corpus/../corpus/x"]) == once[:1]
    assert scan(["corpus", "corpus/x", "corpus/*", "corpus/", "corpus"]) == once


def test_one_name_in_two_folders_stays_two_inputs(corpus: Path) -> None:
    """Told apart by their folders, from the one in which both are."""
    write(corpus, "one/a.txt", "two/a.txt", "two/deep/b")

    assert named("corpus/one", "corpus/two") == ["one/a.txt", "two/a.txt", "two/deep/b"]
    assert named("corpus/one/a.txt", "corpus/two/a.txt") == ["one/a.txt", "two/a.txt"]
    assert named("corpus/one/*", "corpus/two/deep/**") == ["one/a.txt", "two/deep/b"]
    assert named("corpus/two", "corpus/two/deep") == ["a.txt", "deep/b"]


def test_the_order_of_the_inputs_does_not_matter(corpus: Path) -> None:
    """Also where links lead from one to another."""
    write(corpus, "one/a", "two/b")
    (corpus / "two/link").symlink_to(corpus / "one")
    (corpus / "again").symlink_to(corpus / "one")
    inputs = ["corpus/again", "corpus/one", "corpus/two", "corpus/two/link/*"]

    assert scan(inputs) == scan(inputs[::-1])
    assert named(*inputs) == ["one/a", "two/b"]


def test_names_stay_when_all_is_moved(corpus: Path, tmp_path: Path) -> None:
    """As they depend on what was named, not on where that is."""
    write(corpus, "one/a", "two/b", "two/c/d")
    inputs = ["{0}", "{0}/one {0}/two", "{0}/*", "{0}/one/a {0}/two/**/d"]
    before = [named(*text.format("corpus").split()) for text in inputs]
    (tmp_path / "else where").mkdir()
    corpus.rename(tmp_path / "else where/moved")
    os.chdir(tmp_path / "else where")

    assert [named(*text.format("moved").split()) for text in inputs] == before


def test_hard_links_are_inputs_of_their_own(corpus: Path) -> None:
    """As the copies would be that they stand for."""
    write(corpus, "a")
    os.link(corpus / "a", corpus / "b")

    assert named("corpus") == ["a", "b"]


def test_items_of_one_name_get_their_whole_paths() -> None:
    """And none is lost."""
    items = [Item("/y/x", "x", 1, 1), Item("/a/x", "x", 1, 1), Item("/z", "z", 1, 1)]

    assert [item.name for item in distinct(items)] == ["a/x", "y/x", "z"]
    assert [item.name for item in distinct(items[1:])] == ["x", "z"]


# Links


def test_links_to_files_are_followed_and_each_file_counts_once(corpus: Path, tmp_path: Path) -> None:
    """By its own name if it has one here, else by the first of the links'."""
    write(corpus, "real", "sub/z")
    write(tmp_path, "outside")
    (corpus / "alias").symlink_to("real")
    (corpus / "sub/alias").symlink_to("../alias")
    (corpus / "out2").symlink_to(tmp_path / "outside")
    (corpus / "out1").symlink_to(tmp_path / "outside")

    assert named("corpus") == ["out1", "real", "sub/z"]
    assert [item.size for item in scan(["corpus/alias"])] == [4]
    assert named("corpus/alias", "corpus/real") == ["real"]
    assert named("corpus", exclude=["real"]) == ["alias", "out1", "sub/z"]


def test_links_to_folders_are_followed_once(corpus: Path, tmp_path: Path) -> None:
    """Inside and outside, whatever their order."""
    write(corpus, "m/x")
    write(tmp_path, "outside/y", "outside/deep/z")
    for name in ("a", "z"):
        (corpus / name).symlink_to("m")
        (corpus / f"{name}out").symlink_to(tmp_path / "outside")
    (corpus / "m/deep").symlink_to(tmp_path / "outside/deep")

    assert named("corpus") == ["aout/deep/z", "aout/y", "m/x"]
    assert named("corpus/z") == ["deep/z", "x"]


def test_circles_of_links_end(corpus: Path) -> None:
    """To a folder itself, to its parents, to each other."""
    write(corpus, "a/x", "b/y")
    (corpus / "self").symlink_to(".")
    (corpus / "a/up").symlink_to("..")
    (corpus / "a/b").symlink_to("../b")
    (corpus / "b/a").symlink_to("../a")
    (corpus / "ring").symlink_to("ring")

    assert named("corpus") == ["a/x", "b/y"]
    assert named("corpus/**/*") == ["a/x", "b/y"]
    assert named("corpus/*/*/*/x") == ["a/up/a/x"]


def test_a_link_is_another_way_to_match(corpus: Path) -> None:
    """Though its folder was looked into before, as there it was looked for something else."""
    write(corpus, "a/x", "a/y")
    (corpus / "b").symlink_to("a")

    assert named("corpus/**/b/x") == ["b/x"]


def test_a_link_that_leads_nowhere_is_wrong_only_if_it_was_named(corpus: Path) -> None:
    """Within a folder it is nothing."""
    write(corpus, "x")
    (corpus / "dangling").symlink_to("gone")
    (corpus / "ring").symlink_to("ring")

    assert named("corpus") == ["x"]
    assert named("corpus/*") == ["x"]
    assert problems("corpus/dangling", "corpus/ring") == (
        '"corpus/dangling" is a link that leads nowhere; name what it should lead to',
        '"corpus/ring" is a link that leads nowhere; name what it should lead to',
    )


def test_the_parent_of_a_linked_folder_is_where_the_link_leads(corpus: Path, tmp_path: Path) -> None:
    """As the system sees it, not as the path reads."""
    write(corpus, "x", "deep/y")
    write(tmp_path, "x")
    (tmp_path / "link").symlink_to("corpus/deep")

    assert [item.path for item in scan(["link/../x"])] == [f"{corpus}/x"]
    assert named("link/../[dx]*") == ["deep/y", "x"]


# Patterns


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        (["*.txt"], [], ["a.txt", "sub/a.txt", "sub/sub/a.txt"]),
        (["a.txt", "*.csv"], [], ["a.txt", "sub/a.txt", "sub/b.csv", "sub/sub/a.txt"]),
        (["sub/*"], [], ["sub/a.txt", "sub/b.csv"]),
        (["sub/**"], [], ["sub/a.txt", "sub/b.csv", "sub/sub/a.txt"]),
        (["sub/"], [], ["sub/a.txt", "sub/b.csv", "sub/sub/a.txt"]),
        (["**/sub/*.txt"], [], ["sub/a.txt", "sub/sub/a.txt"]),
        (["/a.txt"], [], ["a.txt"]),
        (["./*"], [], ["a.txt"]),
        (["**"], [], ["a.txt", "sub/a.txt", "sub/b.csv", "sub/sub/a.txt"]),
        ([], ["*.txt"], ["sub/b.csv"]),
        ([], ["sub/**"], ["a.txt"]),
        ([], ["sub/*/*", "/[a].txt"], ["sub/a.txt", "sub/b.csv"]),
        (["*.txt"], ["sub/*"], ["a.txt", "sub/sub/a.txt"]),
        (["sub"], [], None),
        ([""], [], None),
        (["."], [], None),
        (["*.TXT"], [], None),
        ([], ["*"], None),
    ],
)
def test_patterns_choose_among_the_names(
    corpus: Path, include: list[str], exclude: list[str], names: list[str] | None
) -> None:
    """The last part of them, or with a slash the whole."""
    write(corpus, "a.txt", "sub/a.txt", "sub/b.csv", "sub/sub/a.txt")

    if names is None:
        left = "no file is left of what was named; check what is included and excluded"
        assert problems("corpus", include=include, exclude=exclude) == (left,)
    else:
        assert named("corpus", include=include, exclude=exclude) == names


def test_patterns_choose_among_files_that_were_named_too(corpus: Path) -> None:
    """By the names that they get."""
    write(corpus, "one/a.txt", "two/a.txt", "two/b.csv")

    assert named("corpus/one/a.txt", "corpus/two/b.csv", exclude=["*.csv"]) == ["one/a.txt"]
    assert named("corpus/one", "corpus/two", include=["two/*"]) == ["two/a.txt", "two/b.csv"]


def test_patterns_find_nothing_hidden_but_choose_it_where_it_was_named(corpus: Path) -> None:
    """They narrow down only."""
    write(corpus, ".hidden", "seen")

    assert problems("corpus", include=[".*"])
    assert named("corpus", "corpus/.hidden", include=["*en"]) == [".hidden", "seen"]


# What is wrong


def test_all_that_is_wrong_is_told_at_once(corpus: Path) -> None:
    """A line each, in the order of what was named."""
    write(corpus, "x")
    os.mkfifo(corpus / "pipe")

    assert problems(
        "gone", "corpus/x", "corpus/x/", "corpus/y*", "corpus/pipe", "a\nb\udcff", "", "a\0b", "\ud800"
    ) == (
        '"gone" is not there; check the path',
        '"corpus/x/" is not there; check the path',
        '"corpus/pipe" is a pipe, socket or device; write what it gives to a file, and name that',
        '"a\\nb\\xff" is not there; check the path',
        '"" is not there; check the path',
        '"a\\x00b" is no path, as no file can be named so; check what was named',
        '"\\ud800" is no path, as no file can be named so; check what was named',
        '"corpus/y*" matches no file; check the pattern, and the folder it starts in',
    )


def test_of_many_problems_only_the_first_are_told(corpus: Path) -> None:
    """And how many more there are."""
    twenty = [f'"{number}" is not there; check the path' for number in range(20)]

    assert problems(*map(str, range(20)), corpus) == tuple(twenty)
    assert problems(*map(str, range(25)), corpus) == (*twenty, "and 5 more")


def test_no_file_at_all_is_wrong(corpus: Path) -> None:
    """Whether nothing was named or nothing is there."""
    write(corpus, ".hidden/x")

    assert problems() == ("nothing was named; name files, folders or globs",)
    assert problems("corpus") == ("no file is in what was named; hidden files have to be named themselves",)


def test_a_path_that_is_too_long_is_not_there(corpus: Path) -> None:
    """But a glob may be longer than any name."""
    write(corpus, "x" * 200)

    assert problems("x" * 256) == (f'"{"x" * 256}" is not there; check the path',)
    assert named("corpus/" + "[x]" * 200) == ["x" * 200]


def test_what_is_no_file_is_passed_over_in_folders(corpus: Path) -> None:
    """A pipe is not waited for."""
    write(corpus, "x")
    os.mkfifo(corpus / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("corpus/socket")

        assert named("corpus") == ["x"]
        assert named("corpus/*") == ["x"]
        assert len(problems("corpus/socket", "/dev/null")) == 2


def test_what_can_not_be_read_is_wrong(public: Path) -> None:
    """All of it: files, folders, what is in folders that may only be listed, and what was named."""
    write(public, "x", "file", "folder/x", "listed/x", "closed/x", "closed/sub/x")
    (public / "link").symlink_to("closed/x")
    for name, mode in {"file": 0, "folder": 0o311, "listed": 0o644, "closed": 0}.items():
        (public / name).chmod(mode)
    with unprivileged():
        everything = problems(public)
        assert problems(public, public, f"{public}/*", public / "folder") == everything
        itself = problems(public / "file", public / "closed/x", public / "closed/*", public / "folder")

    def told(*names: str) -> tuple[str, ...]:
        end = "can't be read (Permission denied); change its permissions, or exclude it"
        return tuple(f'"{public}/{name}" {end}' for name in names)

    assert everything == told("closed", "folder", "link", "listed/x", "file")
    assert itself == told("closed/x", "closed/*", "folder", "file")


def test_a_file_that_others_may_read_can_be_closed_to_its_owner(public: Path) -> None:
    """So it is not enough that somebody may."""
    write(public, "file")
    (public / "file").chmod(0o044)
    if os.geteuid() == 0:
        os.chown(public / "file", NOBODY, NOBODY)
    with unprivileged():
        assert len(problems(public)) == 1


def test_what_can_not_be_read_can_be_excluded(public: Path) -> None:
    """A folder only by what excludes all in it, however deep."""
    write(public, "x", "file", "folder/x", "listed/y")
    for name, mode in {"file": 0, "folder": 0, "listed": 0o644}.items():
        (public / name).chmod(mode)
    with unprivileged():
        assert named(public, exclude=["file", "y", "folder/**"]) == ["x"]
        assert named(public, exclude=["file", "y", "folder/"]) == ["x"]
        assert len(problems(public, exclude=["file", "y", "folder/*"])) == 1
        assert len(problems(public, exclude=["file", "y", "folder/*/**"])) == 1
        assert len(problems(public, exclude=["file", "folder/**"])) == 1
        assert len(problems(public, exclude=["y", "folder/**"])) == 1
        assert len(problems(public, include=["x"])) == 1  # as something of that name may be in the folder


# Lists


@pytest.mark.parametrize(
    ("data", "nul", "inputs"),
    [
        (b"a\nb c\n", False, ["a", "b c"]),
        (b"\n\na\n\nb", False, ["a", "b"]),
        (b"a\r\n\xff\n -\n", False, ["a\r", "\udcff", " -"]),
        (b"a\nb\0c\0\0", True, ["a\nb", "c"]),
        (b"a\0b", False, ["a\0b"]),
        (b"", False, []),
        (b"", True, []),
    ],
)
def test_a_list_has_an_input_a_line_or_between_nuls(data: bytes, nul: bool, inputs: list[str]) -> None:
    """As bytes, of which none is lost."""
    assert read_list(io.BytesIO(data), nul=nul) == inputs


# Outputs


def output(name: str) -> str:
    """Name an output as those of single inputs are."""
    return f"{name}_OUTPUT.txt"


def items(*names: str) -> list[Item]:
    """Make items of these names."""
    return [Item(f"/{name}", name, 0, 0) for name in names]


def test_outputs_that_are_one_file_on_some_systems_collide() -> None:
    """By letter case and by normal form, a line for each name."""
    told = collisions(items("a", "A", "b", "é", "E\u0301", "e", "x\ny", "X\nY", "x\nY"), output)
    iotas = collisions(items("α\u0345\u0301", "α\u0301\u0345"), output)

    assert told == [
        '"a_OUTPUT.txt" would be the output of "a" and "A"; rename one, or run them apart',
        '"é_OUTPUT.txt" would be the output of "é" and "E\u0301"; rename one, or run them apart',
        '"x\\ny_OUTPUT.txt" would be the output of "x\\ny" and "X\\nY" and 1 more; rename one, or run them apart',
    ]
    assert len(iotas) == 1  # which letter case alone would take apart


def test_outputs_of_one_name_collide() -> None:
    """Whatever the names of the inputs."""
    (told,) = collisions(items("a.txt", "a.csv", "b.csv"), lambda name: name.split(".", maxsplit=1)[0])

    assert told == '"a" would be the output of "a.txt" and "a.csv"; rename one, or run them apart'


def test_an_output_that_is_another_ones_folder_collides() -> None:
    """As a folder is no file."""
    (told,) = collisions(items("a", "A_output.TXT/deep/b", "c/a", "c/b"), output)

    assert told.startswith('"a_OUTPUT.txt" would be the output of "a", and the folder of other outputs; ')


def test_outputs_of_different_names_do_not_collide() -> None:
    """In different folders, or of different bytes."""
    assert collisions(items("a", "b/a", "b/c", "ab", "\udcff", "\udcfe", "ÿ"), output) == []
