"""Files for the user appear whole or not at all, in the folder that was named and nowhere else."""

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastbatch.errors import OutputFailed
from fastbatch.outputs import Outputs, check, output_name

NOBODY = 65534


def write(folder: Path, name: str, data: bytes = b"new") -> None:
    """Write an output."""
    with Outputs(str(folder), per_file=False).writing(name) as file:
        file.write(data)


def fail_to_write(folder: Path, name: str, error: type[BaseException]) -> None:
    """Write a part of an output."""
    with Outputs(str(folder), per_file=False).writing(name) as file:
        file.write(b"new")
        raise error


def present(folder: Path) -> list[str]:
    """List all that is in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_an_output_makes_the_folders_that_it_needs(tmp_path: Path) -> None:
    """That of all outputs, too."""
    write(tmp_path / "out" / "puts", "a/b/c.txt")

    assert present(tmp_path) == ["out", "out/puts", "out/puts/a", "out/puts/a/b", "out/puts/a/b/c.txt"]
    assert (tmp_path / "out/puts/a/b/c.txt").read_bytes() == b"new"


def test_nothing_is_made_before_an_output_is_written(tmp_path: Path) -> None:
    """A run that fails early leaves no folder."""
    Outputs(str(tmp_path / "out"), per_file=True)

    assert present(tmp_path) == []


def test_an_output_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    """Until then the file of before has it."""
    (tmp_path / "a").write_bytes(b"old")

    with Outputs(str(tmp_path), per_file=False).writing("a") as file:
        file.write(b"new" * 100_000)
        file.flush()
        assert (tmp_path / "a").read_bytes() == b"old"

    assert (tmp_path / "a").read_bytes() == b"new" * 100_000
    assert present(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_output_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """But the file of before, and the error is what it was."""
    (tmp_path / "a").write_bytes(b"old")

    with pytest.raises(error):
        fail_to_write(tmp_path, "a", error)

    assert (tmp_path / "a").read_bytes() == b"old"
    assert present(tmp_path) == ["a"]


def test_an_output_is_readable_as_any_other_file(tmp_path: Path) -> None:
    """By whom the user's umask says."""
    (tmp_path / "other").touch()
    write(tmp_path, "a")

    assert (tmp_path / "a").stat().st_mode == (tmp_path / "other").stat().st_mode


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [20_000, 1_000_000])
def test_what_can_not_be_written_is_said(tmp_path: Path, size: int) -> None:
    """Whether it is noticed while the output is written or at its end; and nothing stays."""
    with pytest.raises(OutputFailed) as caught, limited_files(10_000):
        write(tmp_path, "a", b"x" * size)

    assert str(caught.value) == f"cannot write '{tmp_path}/a': File too large; name another folder for the outputs"
    assert present(tmp_path) == []


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    """With what to do, and the disk is as it was."""
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system of a test's own is not allowed here")
    program = (
        "from fastbatch.outputs import Outputs\n"
        f"with Outputs({str(tmp_path)!r}, per_file=False).writing('a') as file:\n"
        "    file.write(bytes(1 << 17))\n"
    )

    script = f'{shlex.join(mount[2:])}; "$@"; ls -A {shlex.quote(str(tmp_path))}'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-c", program]

    done = subprocess.run(command, capture_output=True, check=False, text=True)

    said = done.stderr.splitlines()[-1]
    assert said == (
        f"fastbatch.errors.OutputFailed: cannot write '{tmp_path}/a': No space left on device; free some space there"
    )
    assert done.stdout == ""


def test_a_link_in_the_place_of_an_output_is_replaced(tmp_path: Path) -> None:
    """What it leads to stays as it is."""
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "precious")

    write(tmp_path / "out", "a")

    assert (tmp_path / "precious").read_bytes() == b"old"
    assert not (tmp_path / "out" / "a").is_symlink()
    assert (tmp_path / "out" / "a").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["link/a", "link/new/a", "sub/link/a"])
@pytest.mark.parametrize("target", ["elsewhere", "out-side", "nowhere", "."])
def test_a_link_that_leads_out_is_not_followed(tmp_path: Path, name: str, target: str) -> None:
    """Nothing is made where it leads."""
    for folder in ("elsewhere", "out-side", "out/sub"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "out" / name.partition("link")[0] / "link").symlink_to(tmp_path / target)
    before = present(tmp_path)

    with pytest.raises(OutputFailed, match=r"leads out of .*; remove that link, or name another folder"):
        write(tmp_path / "out", name)

    assert present(tmp_path) == before


def test_links_that_stay_within_are_followed(tmp_path: Path) -> None:
    """And the folder for outputs may itself be one."""
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "link").symlink_to("sub")

    write(tmp_path / "out", "link/a")

    assert (tmp_path / "real" / "sub" / "a").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\0b"])
def test_a_name_that_may_lead_out_is_refused(tmp_path: Path, name: str) -> None:
    """Whoever asks for it."""
    with pytest.raises(OutputFailed, match="can't be the name of an output"):
        write(tmp_path / "out", name)

    assert present(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("folder", "remove the folder of that name, or name another folder for the outputs"),
        ("file/a", "name another folder for the outputs"),
        ("x" * 256, "name a folder with a shorter path for the outputs"),
        ("x" * 256 + "/a", "name a folder with a shorter path for the outputs"),
    ],
)
def test_what_is_in_the_way_is_said(tmp_path: Path, name: str, advice: str) -> None:
    """With what to do about it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(OutputFailed) as caught:
        write(tmp_path, name)

    assert str(caught.value).startswith(f"cannot write '{tmp_path}/{name}': ")
    assert str(caught.value).endswith(f"; {advice}")
    assert present(tmp_path) == ["file", "folder"]


def test_json_is_written_for_people_too(tmp_path: Path) -> None:
    """Readable, and valid whatever is in it."""
    value = {"top": [{"word": "é\u202e\x07", "count": 1}], "name": "\udcff"}

    Outputs(str(tmp_path), per_file=False).write_json("summary.json", value)

    text = (tmp_path / "summary.json").read_bytes().decode()
    assert json.loads(text) == value
    assert '"word": "é' in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("folder", ["there", "not/there/yet", "link"])
def test_a_folder_that_can_be_used_has_no_problems(tmp_path: Path, folder: str) -> None:
    """And nothing is made to find that out."""
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    before = present(tmp_path)

    assert check(str(tmp_path / folder)) == []
    assert present(tmp_path) == before


@pytest.mark.parametrize("folder", ["file", "file/below", "nowhere", "nowhere/below"])
def test_what_is_no_folder_is_a_problem(tmp_path: Path, folder: str) -> None:
    """A file, a link to nothing, and what is below those."""
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("missing")
    culprit = str(tmp_path / folder.partition("/")[0])

    (problem,) = check(str(tmp_path / folder))

    assert problem == (
        f"{culprit!r} is not a folder, so outputs can't be written to {str(tmp_path / folder)!r}; "
        "name another folder for the outputs"
    )


@pytest.mark.parametrize("folder", ["", "a\0b"])
def test_what_can_be_no_name_is_a_problem(folder: str) -> None:
    """The empty one, for one."""
    assert check(folder) == [f"{folder!r} is no name of a folder; name another folder for the outputs"]


@pytest.mark.parametrize("below", ["", "/new/folder"])
def test_a_folder_that_is_not_writable_is_a_problem(below: str) -> None:
    """Or one that would have to be made in it."""
    program = "import os, sys; from fastbatch.outputs import check; "
    program += f"os.geteuid() or os.setuid({NOBODY}); "  # nothing is locked for root
    program += "print(*check(sys.argv[1]))"
    with tempfile.TemporaryDirectory() as locked:  # where others may look, unlike where tests have theirs
        Path(locked).chmod(0o555)

        said = subprocess.check_output([sys.executable, "-c", program, locked + below], text=True)

    assert said == (
        f"outputs can't be written to '{locked}{below}': '{locked}' is not writable; "
        "allow it, or name another folder for the outputs\n"
    )


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("a.txt", "a.txt_OUTPUT.txt"),
        ("a.md", "a.md_OUTPUT.txt"),
        ("a", "a_OUTPUT.txt"),
        ("a/b/c.txt", "a/b/c.txt_OUTPUT.txt"),
        ("..a/b..", "..a/b.._OUTPUT.txt"),
        (".hidden", ".hidden_OUTPUT.txt"),
        ("$(x) ;\n.txt", "$(x) ;\n.txt_OUTPUT.txt"),
        ("\udcff", "\udcff_OUTPUT.txt"),
        ("a\\b:c", "a\\b:c_OUTPUT.txt"),
        ("counts.tsv", "counts.tsv_OUTPUT.txt"),
    ],
)
def test_an_output_is_called_as_its_input(name: str, output: str) -> None:
    """With its folders and its extension, so that different inputs have different outputs."""
    assert output_name(name) == output


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("../a.txt", "_/a.txt~"),
        ("a/../b", "a/_/b~"),
        ("..", "_~"),
        ("/etc/passwd", "etc/passwd~"),
        ("a//b/./c", "a/b/c~"),
        ("", "_~"),
        ("/", "_~"),
        ("a\0b", "a_b~"),
        ("counts.tsv/a", "counts.tsv_/a~"),
        ("Summary.JSON/a", "Summary.JSON_/a~"),
        ("a_output.txt/b", "a_output.txt_/b~"),
    ],
)
def test_an_output_that_can_not_be_called_as_its_input_has_a_digest(name: str, start: str) -> None:
    """So it leads nowhere else, takes no other output's place, and is still one of its own."""
    output = output_name(name)

    assert output.startswith(start)
    assert output.endswith("_OUTPUT.txt")
    assert len(output) == len(start) + 16 + len("_OUTPUT.txt")


def test_names_that_are_too_long_stay_different(tmp_path: Path) -> None:
    """They are cut where the file system needs it, between letters."""
    names = [f"{folder}/{'ü' * 127}{last}" for folder in ("f", "g" * 300 + "1", "g" * 300 + "2") for last in "ab"]

    outputs = {output_name(name) for name in names}

    assert len(outputs) == len(names)
    for output in outputs:
        write(tmp_path, output)
        assert set(output.rpartition("/")[2].partition("~")[0]) == {"ü"}


parts = st.one_of(
    st.sampled_from(["", ".", "..", "_", "a", "counts.tsv", "a_OUTPUT.txt", "a~0123456789abcdef"]),
    st.integers(240, 260).map(lambda length: "x" * length),
    st.text(st.characters(exclude_categories=[]), max_size=4),
    st.binary(max_size=4).map(lambda name: name.decode("utf-8", "surrogateescape")),
)
names = st.lists(parts, min_size=1, max_size=4).map("/".join)


@given(names)
@example("\ud800")
def test_an_output_s_name_is_always_safe(name: str) -> None:
    """Relative, below the folder, and of a length that file systems take."""
    output = output_name(name)

    split = output.split("/")
    assert {"", ".", ".."}.isdisjoint(split)
    assert "\0" not in output
    assert max(len(part.encode("utf-8", "surrogatepass")) for part in split) <= 255
    assert os.path.basename(output).endswith("_OUTPUT.txt")


@given(st.sets(names, max_size=20))
def test_different_inputs_have_different_outputs(different: set[str]) -> None:
    """None of which is in the way of another, or of the files for all."""
    outputs = {output_name(name) for name in different}

    folders = {output.rsplit("/", depth)[0] for output in outputs for depth in range(1, output.count("/") + 1)}
    assert len(outputs) == len(different)
    assert folders.isdisjoint(outputs | {"counts.tsv", "summary.json"})
