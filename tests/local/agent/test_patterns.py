"""Patterns of output files mean what a plain definition says, and reach nothing outside of the node's folder."""

import inspect
import os
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.local.agent import patterns
from fastbatch.local.agent.folders import make_folders
from fastbatch.local.agent.patterns import Unusable, expanded, matching
from fastbatch.local.agent.wildcards import Wildcards


class Tree:
    """A node's folder with one task's in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.task = root / "workitems/j/job-1/t"
        self.working = self.task / "wd"
        self.working.mkdir(parents=True)

    def add(self, *names: str) -> None:
        """Make files below the working folder."""
        for name in names:
            path = self.working / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def matching(
        self, pattern: str, path: str | None = None, environment: Mapping[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """Match, and show paths as they are below the working folder."""
        found = matching(
            pattern, working=str(self.working), root=str(self.root), environment=environment or {}, path=path
        )
        return [(os.path.relpath(file, self.working), blob) for file, blob in found]

    def files(self, pattern: str) -> list[str]:
        """Match, and show paths only."""
        return [file for file, _ in self.matching(pattern)]

    def blobs(self, pattern: str, path: str | None = None) -> list[str]:
        """Match, and show the blobs' names only."""
        return [blob for _, blob in self.matching(pattern, path)]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Give an empty one; nothing of the path above is a pattern."""
    return Tree(tmp_path / "node")


# What matches.


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("a.txt", ["a.txt"]),
        ("./a.txt", ["a.txt"]),
        ("d//x.txt", ["d/x.txt"]),
        ("*.txt", ["a.txt", "b.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        ("[b-z].txt", ["b.txt"]),
        ("[!a].txt", ["b.txt"]),
        ("*", ["a.txt", "b.txt", "c[1].log"]),
        ("*/*.txt", ["d/x.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "d/e/y.txt", "d/x.txt"]),
        ("**.txt", ["a.txt", "b.txt", "d/e/y.txt", "d/x.txt"]),
        ("d**y.txt", ["d/e/y.txt"]),
        ("d/**", ["d/e/y.txt", "d/x.txt"]),
        ("**/e/*", ["d/e/y.txt"]),
        ("c[1].log", []),
        ("c[[]1].log", ["c[1].log"]),
        ("c[1", []),
        (".*", [".hidden"]),
        ("[.]hidden", []),
        ("?hidden", []),
        (".h/**", [".h/in.txt"]),
        ("*/in.txt", []),
        ("**/in.txt", []),
        ("**/.h/in.txt", [".h/in.txt"]),
        ("missing/*.txt", []),
        ("a.txt/*", []),
        ("missing.txt", []),
        ("d", []),
        ("d/", []),
        ("*/", []),
        ("", []),
        ("..", []),
        ("*/../a.txt", []),
    ],
)
def test_a_pattern_matches_regular_files(tree: Tree, pattern: str, files: list[str]) -> None:
    """Each wildcard does what the documentation says; folders and what is hidden are not matched."""
    tree.add("a.txt", "b.txt", "c[1].log", ".hidden", ".h/in.txt", "d/x.txt", "d/e/y.txt")

    assert tree.files(pattern) == files


def test_a_pattern_may_reach_the_folder_of_the_task(tree: Tree) -> None:
    """That is how the output of the process is uploaded."""
    for name in ("stdout.txt", "stderr.txt", "other"):
        (tree.task / name).touch()

    assert tree.matching("../std*.txt", "logs") == [
        ("../stderr.txt", "logs/stderr.txt"),
        ("../stdout.txt", "logs/stdout.txt"),
    ]


def test_a_pattern_may_be_absolute(tree: Tree) -> None:
    """As it is with variables of folders, elsewhere on the node too."""
    (tree.root / "shared").mkdir()
    (tree.root / "shared" / "x").touch()
    environment = {"SHARED": str(tree.root / "shared")}

    assert tree.matching("$SHARED/*", environment=environment) == [("../../../../../shared/x", "x")]


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../" * 50 + "etc/*", "../../../../../../*", "/", "$HOME/*"])
def test_a_pattern_that_leads_out_of_the_node_is_refused(tree: Tree, pattern: str) -> None:
    """It could never mean a file that a task may send away."""
    with pytest.raises(Unusable, match="out of the node's folder"):
        tree.matching(pattern, environment={"HOME": "/root"})


@pytest.mark.parametrize("pattern", ["out/secret", "secret", "*", "**", "out/*", "*/secret", "**/out/secret"])
def test_links_that_lead_out_of_the_node_are_not_seen(tree: Tree, tmp_path: Path, pattern: str) -> None:
    """Neither to files nor to folders, neither by their names nor by wildcards."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").touch()
    (tree.working / "out").symlink_to(outside)
    (tree.working / "secret").symlink_to(outside / "secret")

    assert tree.files(pattern) == []


def test_links_within_the_node_are_followed_if_the_pattern_asks_for_it(tree: Tree) -> None:
    """A link to a file is that file; one to a folder is followed by its name or a `*`, but not by `**`."""
    tree.add("d/x")
    (tree.working / "file").symlink_to("d/x")
    (tree.working / "folder").symlink_to("d")

    assert tree.files("*") == ["file"]
    assert tree.files("*/x") == ["d/x", "folder/x"]
    assert tree.files("**/folder/x") == ["folder/x"]
    assert tree.files("**/x") == ["d/x"]
    assert tree.files("**") == ["d/x", "file"]
    assert tree.files("fo**/x") == ["folder/x"]


def test_links_that_go_round_in_circles_end(tree: Tree) -> None:
    """To the folder itself, to one above, to each other, and to themselves."""
    tree.add("d/x")
    (tree.working / "here").symlink_to(".")
    (tree.working / "d" / "up").symlink_to("..")
    (tree.working / "one").symlink_to("two")
    (tree.working / "two").symlink_to("one")
    (tree.working / "self").symlink_to("self")

    assert tree.files("**") == ["d/x"]
    assert tree.files("**/*") == ["d/x"]
    assert tree.files("self") == []
    assert tree.files("*/d/x") == ["here/d/x"]


def test_only_regular_files_are_matched(tree: Tree) -> None:
    """A pipe would never end, and a socket can't be read."""
    tree.add("file")
    os.mkfifo(tree.working / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(tree.working / "socket"))
        (tree.working / "dangling").symlink_to("nothing")

        assert tree.files("*") == ["file"]
        assert tree.files("pipe") == tree.files("socket") == tree.files("dangling") == []


def test_folders_may_be_nested_deeper_than_calls(tree: Tree) -> None:
    """A tree of many levels is made and walked where only a few more calls are allowed."""
    deep = "d/" * 300 + "x"
    calls, limit = len(inspect.stack(0)), sys.getrecursionlimit()
    sys.setrecursionlimit(calls + 100)
    try:
        make_folders(f"{tree.working}/{os.path.dirname(deep)}")
        (tree.working / deep).touch()
        found = tree.files("**/x")
    finally:
        sys.setrecursionlimit(limit)

    assert found == [deep]


def test_no_pattern_takes_long(tree: Tree) -> None:
    """One that would send a backtracking search round and round is followed in a moment."""
    tree.add("a" * 200)

    assert tree.files("*a" * 60 + "b") == []
    assert tree.files("**a" * 60 + "b") == []


def test_only_what_a_pattern_can_reach_is_looked_at(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other folders could be huge."""
    tree.add("logs/a/x.txt", "logs/b/x.txt", "logs/a/deep/x.txt", "data/x.txt", "lore/z.txt")
    seen: list[str] = []
    entries = patterns._entries  # noqa: SLF001 -- what is listed is what is tested

    def noted(folder: str) -> list[os.DirEntry[str]]:
        seen.append(os.path.relpath(folder, tree.working))
        return entries(folder)

    monkeypatch.setattr(patterns, "_entries", noted)

    assert tree.files("lo*/a/*.txt") == ["logs/a/x.txt"]
    assert sorted(seen) == [".", "logs", "logs/a", "lore"]
    seen.clear()
    assert tree.files("logs/a/x.txt") == ["logs/a/x.txt"]
    assert seen == []


# An independent definition.


def meaning(piece: str) -> str:
    """Say what a piece of a pattern means by a regular expression; hidden dots are letters of their own."""
    if piece.startswith("[") and len(piece) > 1:
        negated = piece.startswith("[!")
        members = members_of(piece[1 + negated : -1])
        some = "".join(map(re.escape, sorted(members)))
        return f"[^/\1{some}]" if negated else f"[{some}]" if some else "(?!)"
    piece = re.sub(r"\*{2,}", "**", piece)
    known = {"**/": "(?:[^/\1][^/]*/)*", "**": "[^\1]*", "*": "[^/\1]*", "?": "[^/\1]"}
    return known.get(piece, re.escape(piece))


def members_of(text: str) -> set[str]:
    """List the characters between brackets."""
    members: set[str] = set()
    while text:
        if text[1:2] == "-" and len(text) > 2:
            members |= {chr(code) for code in range(ord(text[0]), ord(text[2]) + 1)}
            text = text[3:]
        else:
            members.add(text[0])
            text = text[1:]
    return members


def plainly_matches(pattern: str, path: str) -> bool:
    """Say whether a whole path matches: a dot that begins a part is a letter of its own, which no wildcard means."""
    hidden = re.compile(r"(?:(?<=/)|^)\.")
    pieces = re.findall(r"(?:(?<=/)|^)\*\*+/|\*\*+|\*|\?|\[!?+[^/][^\]/]*\]|.", hidden.sub("\1", pattern), re.DOTALL)
    return re.fullmatch("".join(map(meaning, pieces)), hidden.sub("\1", path)) is not None


def paths(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Make paths of a few parts."""
    return st.lists(parts.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=4).map("/".join)


PIECES = ["a", "b", ".", "-", "*", "**", "?", "[ab]", "[!a]", "[a-b]", "[.]", "[", "[!b.]", "]"]
PATHS = paths(st.text("ab.-[", min_size=1, max_size=3))
PATTERNS = paths(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))


@given(PATTERNS, PATHS)
def test_a_path_matches_if_the_plain_definition_says_so(pattern: str, path: str) -> None:
    """Wildcards, followed a character at a time, come to what a regular expression for the whole comes to."""
    wildcards = Wildcards(pattern)

    state = wildcards.after(wildcards.start, path, begins=True)

    assert wildcards.matches(state) is plainly_matches(pattern, path)


def test_whole_folders_are_left_out_or_taken(tree: Tree) -> None:
    """`**/` never ends within a part of a path."""
    tree.add("b", "ab", "a/b", "a/ab")

    assert tree.files("**/b") == ["a/b", "b"]


@settings(max_examples=50)
@given(PATTERNS, st.lists(PATHS, max_size=8))
def test_of_a_tree_just_what_matches_is_found(
    tmp_path_factory: pytest.TempPathFactory, pattern: str, names: list[str]
) -> None:
    """No part of a tree is left out, and none is found twice."""
    tree = Tree(tmp_path_factory.mktemp("tree"))
    for name in names:
        with suppress(FileExistsError, NotADirectoryError):
            tree.add(name)

    present = (str(path.relative_to(tree.working)) for path in tree.working.rglob("*") if path.is_file())

    assert tree.files(pattern) == sorted(path for path in present if plainly_matches(pattern, path))


# Variables.


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$A/x", "one/x"),
        ("${A}x", "onex"),
        ("$A_B-$A", "two-one"),
        ("$MISSING/${MISSING}", "$MISSING/${MISSING}"),
        ("$$A", "$one"),
        ("cost$", "cost$"),
        ("${A", "${A"),
        ("$STAR", "*"),
        ("$DOLLAR", "$A"),
    ],
)
def test_variables_are_put_in_once(text: str, result: str) -> None:
    """Both spellings work, unknown ones stay, and what a value holds is not looked at again."""
    environment = {"A": "one", "A_B": "two", "STAR": "*", "DOLLAR": "$A"}

    assert expanded(text, environment) == result


def test_a_variable_may_hold_wildcards(tree: Tree) -> None:
    """Variables come first, wildcards after."""
    tree.add("a.txt")

    assert tree.matching("$WHAT", environment={"WHAT": "*.txt"}) == [("a.txt", "a.txt")]


# The names of blobs.


@pytest.mark.parametrize(
    ("pattern", "path", "blobs"),
    [
        ("d/x.txt", None, ["x.txt"]),
        ("d/x.txt", "", ["x.txt"]),
        ("d/x.txt", "results/1.txt", ["results/1.txt"]),
        ("d/*.txt", None, ["x.txt"]),
        ("d/*.txt", "results", ["results/x.txt"]),
        ("d/*.txt", "results/", ["results/x.txt"]),
        ("d/**", "r", ["r/e/y.txt", "r/x.txt"]),
        ("**/*.txt", "r", ["r/d/e/y.txt", "r/d/x.txt"]),
        ("*/e/y.txt", "r", ["r/d/e/y.txt"]),
        ("d/x[.]txt", "r", ["r/x.txt"]),
    ],
)
def test_a_blob_is_named_by_the_path_and_what_the_wildcards_stand_for(
    tree: Tree, pattern: str, path: str | None, blobs: list[str]
) -> None:
    """Without wildcards the path is the whole name; with them it is a folder, and names go on as below the first."""
    tree.add("d/x.txt", "d/e/y.txt")

    assert tree.blobs(pattern, path) == blobs


def test_odd_names_are_names(tree: Tree) -> None:
    """Line breaks, spaces, and the letters of URLs are nothing special."""
    names = [" ", "a\nb", "a%20b", "a+b", "a?b#c", "a\\b", "ü"]
    tree.add(*names)

    assert tree.matching("*", "p") == sorted((name, f"p/{name}") for name in names)


@pytest.mark.parametrize("pattern", ["*", "?.txt", "**"])
def test_a_name_that_is_no_text_is_refused_plainly(tree: Tree, pattern: str) -> None:
    """Bytes that are not Unicode can't be in a URL, nor can they be left out in silence."""
    tree.add("a\udcff.txt"[1:])

    with pytest.raises(Unusable, match="not Unicode"):
        tree.blobs(pattern)


def test_a_file_whose_name_is_no_text_may_become_a_blob_of_another_name(tree: Tree) -> None:
    """Only the blob's name is sent."""
    tree.add("\udcff")

    assert tree.matching("\udcff", "fine") == [("\udcff", "fine")]


@pytest.mark.parametrize(("path", "why"), [("../x", "dots"), ("a/./b", "dots"), ("x" * 1025, "longer than 1024")])
def test_a_blob_that_would_arrive_as_another_is_refused(tree: Tree, path: str, why: str) -> None:
    """Parts of dots vanish from URLs on their way, and so would change the name."""
    tree.add("a")

    with pytest.raises(Unusable, match=why):
        tree.blobs("a", path)
