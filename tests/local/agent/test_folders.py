"""Names from outside stay in their folder, and a node's folders are where the service's documentation has them."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.agent.folders import Node, Unsafe, inside, within


def test_a_name_is_joined_to_its_folder(tmp_path: Path) -> None:
    """Names of one part and of several are paths below the folder, whether or not something is there."""
    root = str(tmp_path)

    assert inside(root, "a") == f"{root}/a"
    assert inside(root, "a/b.txt") == f"{root}/a/b.txt"
    assert inside(root, "a//./b") == f"{root}/a/b"
    assert inside(root, "..a/b..") == f"{root}/..a/b.."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (".", "empty"),
        ("./", "empty"),
        ("..", r"\.\."),
        ("a/../../b", r"\.\."),
        ("a/..", r"\.\."),
        ("/etc/passwd", "absolute"),
        ("//x", "absolute"),
        ("a\0b", "NUL"),
        ("x" * 256, "longer than 255"),
        ("ü" * 128, "longer than 255"),
        ("/".join(["x" * 250] * 20), "too long"),
        ("a\ud800", "no encoding"),
    ],
)
def test_what_is_no_name_below_the_folder_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """Going up, absolute, unwritable, empty and over-long names are refused, with the reason."""
    with pytest.raises(Unsafe, match=why):
        inside(str(tmp_path), name)


def test_a_long_name_is_not_repeated_in_full(tmp_path: Path) -> None:
    """A message stays short, however long the name."""
    with pytest.raises(Unsafe) as caught:
        inside(str(tmp_path), "x" * 100_000)

    assert len(str(caught.value)) < 500


def test_a_link_that_leads_out_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    """The last part, one on the way, one that leads to nothing, and one that comes by another link."""
    root = tmp_path / "root"
    outside = tmp_path / "root-not"
    root.mkdir()
    outside.mkdir()
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to("..")
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    (root / "again").symlink_to("out")

    for name in ("out", "out/x", "up", "up/root-not/x", "dangling", "again/x"):
        with pytest.raises(Unsafe, match="link"):
            inside(str(root), name)


def test_a_link_that_stays_in_the_folder_is_followed(tmp_path: Path) -> None:
    """Links are no trouble as such."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")

    assert inside(str(tmp_path), "link/x") == f"{tmp_path}/link/x"


def test_a_folder_that_is_reached_by_a_link_is_a_folder_like_others(tmp_path: Path) -> None:
    """What is asked is whether the name leaves the folder, not how the folder was come by."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "inner").symlink_to(".")
    (tmp_path / "root").symlink_to("real")

    assert inside(f"{tmp_path}/root", "inner/x") == f"{tmp_path}/root/inner/x"


@given(st.text(st.sampled_from("./ab\0"), max_size=12))
def test_a_name_that_is_taken_never_leaves(name: str) -> None:
    """Whatever is taken is below the folder when the system resolves it."""
    try:
        path = inside("/root", name)
    except Unsafe:
        return

    resolved = os.path.normpath(path)
    assert resolved != "/root"
    assert within("/root", resolved)


def test_a_neighbour_with_a_longer_name_is_not_within() -> None:
    """Paths are compared by their parts."""
    assert within("/a", "/a")
    assert within("/a", "/a/b")
    assert within("/", "/a")
    assert not within("/a", "/ab")


def test_a_node_has_the_documented_layout(tmp_path: Path) -> None:
    """All folders are made, those of the start task too."""
    node = Node(f"{tmp_path}/node")

    node.create()
    node.create()

    made = sorted(str(path.relative_to(node.root)) for path in Path(node.root).rglob("*"))
    assert made == ["applications", "fsmounts", "shared", "startup", "startup/wd", "volatile", "workitems"]


def test_a_task_has_a_working_folder_and_one_for_certificates(tmp_path: Path) -> None:
    """The first task of a job makes the job's folder as well; making them again changes nothing."""
    node = Node(str(tmp_path))
    node.create()

    for task_id in ("t1", "t2", "t2"):
        node.task("j", task_id).create()

    task = node.task("j", "t2")
    assert task.path == f"{tmp_path}/workitems/j/job-1/t2"
    assert (task.stdout, task.stderr) == (f"{task.path}/stdout.txt", f"{task.path}/stderr.txt")
    assert sorted(os.listdir(task.path)) == ["certs", "wd"]
    assert (task.working, task.certificates) == (f"{task.path}/wd", f"{task.path}/certs")
    assert sorted(os.listdir(node.job("j"))) == ["t1", "t2"]


def test_the_folder_of_a_task_is_not_made_where_a_file_is(tmp_path: Path) -> None:
    """What stands in the way is complained of, not taken for the folder."""
    node = Node(str(tmp_path))
    Path(node.job("j")).mkdir(parents=True)
    Path(node.task("j", "t").path).touch()

    with pytest.raises(FileExistsError):
        node.task("j", "t").create()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a/"])
def test_the_id_of_a_job_or_a_task_is_one_name(tmp_path: Path, name: str) -> None:
    """An id that is a path is refused."""
    node = Node(str(tmp_path))

    with pytest.raises(Unsafe):
        node.task(name, "t")
    with pytest.raises(Unsafe):
        node.task("j", name)
