"""Progress as bars."""

import io
import re
import threading
import time

import pytest

from fastbatch.cli.display.live import INTERVAL, Live, console_on
from fastbatch.cli.display.progress import Progress
from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.streams import Stream
from fastbatch.events import BundleUploaded, Event, Noticed, RequestRetried
from tests.cli.display import HARMFUL, ODD_RUN, RUN, Clock, failing

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
DRAWS = re.compile(r"\r?\x1b\[2K|\x1b\[1A|\x1b\[\?25[lh]|\x1b\[[0-9;]*m")  # what rich has to say to a terminal
STEERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Written(io.StringIO):
    """What a terminal would get."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, text: str) -> int:
        """Take it in."""
        self.writes += 1
        return super().write(text)

    def text(self) -> str:
        """Give it without what steers the terminal."""
        return STEERS.sub("", self.getvalue())


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a terminal of a known size, whatever the tests are run on."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")


@pytest.fixture
def file() -> Written:
    """Give what is written to."""
    return Written()


def live_on(file: Written, manner: Manner | None = None, clock: Clock | None = None) -> Live:
    """Make bars."""
    return Live(console_on(Stream(file), color=True), Progress(clock or Clock()), manner or Manner())


def shown(live: Live, *events: Event) -> None:
    """Show events from start to stop."""
    live.start()
    try:
        for event in events:
            live.take(event)
    finally:
        live.stop()


def last_picture(file: Written) -> list[str]:
    """Give the lines of the last picture, without the bars."""
    lines = file.text().rstrip("\n").split("\n")
    start = max(index for index, line in enumerate(lines) if "on pool" in line)
    return [re.sub(r" *[━╸╺]* {2,}|[━╸╺]+ ", "  ", line).strip() for line in lines[start:]]


def test_it_shows_where_a_run_stands(file: Written) -> None:
    """A line for each stage, and one for each thing that there is more to say about."""
    clock = Clock()
    live = live_on(file, clock=clock)
    live.start()
    for event in RUN[:-4]:
        clock.seconds += 2
        live.take(event)
    live.stop()
    assert last_picture(file)[0].endswith("words-abcd1234 on pool fastbatch, 34s")
    assert [re.sub(r"[\s━╸╺]+", " ", line).strip() for line in last_picture(file)[1:]] == [
        "uploaded 4 of 4 bundles, 3MiB sent, 1 reused",
        "submitted 5 of 5 tasks",
        "running 3 tasks, 1 waiting",
        "done 2 of 4 inputs, 2MiB of 4MiB",
        "failed 1 task tried again",
        "nodes 1 idle, 1 starting",
        "retries 1 request sent again",
        "rate 0.1 inputs/s, 128KiB/s, about 16s left",
    ]


def test_notices_and_failures_stand_above_the_bars(file: Written) -> None:
    """As they come; what only goes on is seen in the bars."""
    shown(live_on(file), *RUN)
    text = file.text()
    assert text.index("The pool is slow.") < text.index("Failed: late.txt: exit code 3") < text.rindex("uploaded")
    assert "    | Traceback\n    |   boom\n" in text
    assert "Planned" not in text
    assert "ServerBusy" not in text


def test_ten_thousand_failures_do_not_flood_the_screen(file: Written) -> None:
    """A handful is shown in full, the others are counted."""
    shown(live_on(file), *RUN[:2], *failing(10_000), Noticed("Still seen."))
    assert file.text().count("Failed: ") == 5
    assert "Still seen." in file.text()
    assert re.search(r"not shown +9,995 more failed inputs", file.text())


def test_who_wants_details_sees_each_request_that_is_sent_again(file: Written) -> None:
    """Without end, as was asked for."""
    shown(live_on(file, Manner(verbose=True)), *[RequestRetried("batch", "503", 1.0)] * 50)
    assert file.text().count("A request to batch is sent again") == 50
    assert "not shown" not in file.text()


def test_it_is_drawn_eight_times_a_second_at_most(file: Written) -> None:
    """However many events there are, and whatever they have to say."""
    live = live_on(file, Manner(verbose=True))
    began = time.monotonic()
    live.start()
    for index in range(20_000):
        live.take(BundleUploaded("b", 1, 1, reused=False))
        if index % 100 == 0:
            live.take(RequestRetried("batch", "503", 1.0))
    live.stop()
    pictures = len(re.findall("submitted", file.text()))
    assert 2 <= pictures <= (time.monotonic() - began) / INTERVAL + 3  # the first one, and two at the end


def test_it_goes_on_by_itself(file: Written) -> None:
    """The time is seen to pass also when nothing happens."""
    clock = Clock()
    live = live_on(file, clock=clock)
    live.start()
    clock.seconds += 7
    deadline = time.monotonic() + 20
    while "7s" not in file.text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    live.stop()


def test_what_is_drawn_with_a_message_is_of_that_moment(file: Written) -> None:
    """Not what was drawn before it."""
    live = live_on(file)
    live.start()
    for event in RUN[:6]:
        live.take(event)
    live.take(Noticed("Look."))
    deadline = time.monotonic() + 20
    while "Look." not in file.text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    below = file.text().split("Look.")[1]
    live.stop()
    assert re.search(r"uploaded\s[━╸╺ ]*2 of 4 bundles", below)


@pytest.mark.parametrize("raised", [None, ValueError, KeyboardInterrupt])
def test_the_terminal_is_left_as_it_was(file: Written, raised: type[BaseException] | None) -> None:
    """With its cursor, however it is left, and with no thread that goes on."""
    threads = threading.active_count()
    live = live_on(file)
    live.start()
    assert file.getvalue().startswith(HIDE)
    try:
        live.take(RUN[0])
        if raised:
            raise raised
    except (ValueError, KeyboardInterrupt):
        pass
    finally:
        live.stop()
    assert file.getvalue().endswith(SHOW)
    assert "\n" in file.getvalue()
    assert threading.active_count() == threads


def test_being_interrupted_as_it_starts_leaves_the_terminal_as_it_was(
    file: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor is hidden by then."""

    def interrupt(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        live_on(file).start()
    assert file.getvalue().endswith(SHOW)


def test_it_may_be_stopped_and_started_again(file: Written) -> None:
    """As for a question in between; twice is once."""
    live = live_on(file)
    for _ in range(2):
        live.start()
        live.start()
        live.stop()
        live.stop()
    assert (file.getvalue().count(HIDE), file.getvalue().count(SHOW)) == (2, 2)


def test_what_is_said_after_the_end_is_seen(file: Written) -> None:
    """At once, and without bars."""
    live = live_on(file)
    shown(live)
    before = len(file.text())
    live.take(Noticed("Cleaned up."))
    live.say("Trouble.")
    assert file.text()[before:] == "Cleaned up.\nTrouble.\n"


def test_there_may_be_bars_without_color(file: Written) -> None:
    """Nothing but bold and dim is left."""
    shown(Live(console_on(Stream(file), color=False), Progress(Clock()), Manner()), *RUN)
    assert set(re.findall(r"\x1b\[([0-9;]*)m", file.getvalue())) <= {"0", "1", "2"}


@pytest.mark.parametrize("width", [10, 20, 40, 79])
def test_no_line_of_a_picture_is_wider_than_the_screen(
    file: Written, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it could not be drawn over."""
    monkeypatch.setenv("COLUMNS", str(width))
    shown(live_on(file), *[event for event in RUN if event.kind not in {"task.failed", "input.failed", "noticed"}])
    lines = re.split(r"\n|\x1b\[1A", file.getvalue())
    assert max(len(STEERS.sub("", line)) for line in lines) <= width


@pytest.mark.parametrize("harmful", [text for text in HARMFUL if text != "\n"], ids=ascii)
def test_names_from_outside_come_out_harmless(file: Written, harmful: str) -> None:
    """And are never read as markup."""
    shown(live_on(file, Manner(verbose=True)), *ODD_RUN)
    assert harmful not in DRAWS.sub("", file.getvalue())
    assert file.text().count(r"[red]x[/red] :smile: \x1b[2J\u009b31m\u202eexe\r\nnext\x07\u2028\xff") >= 6


def test_what_is_lost_is_lost_quietly() -> None:
    """A terminal that goes away ends nothing."""
    file = Written()
    live = live_on(file)
    live.start()
    file.close()
    live.take(Noticed("Nobody sees this."))
    live.stop()


def test_the_console_takes_no_text_for_more() -> None:
    """Not for markup, not for emoji; and it is a terminal's, as only those get one."""
    console = console_on(Stream(Written()), color=True)
    assert console.is_terminal
    assert console.render_str("[red]x[/red] :smile:").plain == "[red]x[/red] :smile:"
