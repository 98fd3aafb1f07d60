"""A filter selects the same as SQL, in Python, and by the plain reading of its tree; and what is none is refused."""

import email.utils
import operator
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastbatch.local import filters, wire
from fastbatch.local.filters import InvalidFilter, Property, parse

ORDER = ("eq", "ne", "gt", "ge", "lt", "le")
PROPERTIES = {
    "id": Property("text", (*ORDER, "startswith")),
    "info/name": Property("text", (*ORDER, "startswith")),
    "exitCode": Property("integer", ORDER),
    "enabled": Property("boolean", ("eq", "ne")),
    "time": Property("time", ORDER),
}
# One is an expression that binds less than what is put around it, to show that nothing comes apart.
COLUMNS = {"id": "id", "info/name": "name || ''", "exitCode": "exit_code", "enabled": "enabled", "time": "time"}
TABLE = "CREATE TABLE things (id TEXT, name TEXT, exit_code INTEGER, enabled INTEGER, time INTEGER)"

# Letters that fold in ASCII, those that fold elsewhere only, what SQL patterns and quotes are made of, what stands
# beside the folded letters, and both ends of what UTF-8 can write.
NERVES = "aAbzZkKiI@[`{_%'\"\\?*- \n\x01\x7f\x80éÉ\u0131\u0130\u017f\u212a\ud7ff\ue000\uffff😀\U0010ffff"
sayable = st.text(
    st.one_of(st.sampled_from(NERVES), st.characters(exclude_categories=["Cs"], min_codepoint=1)), max_size=3
)
stored = st.text(st.sampled_from("\0" + NERVES), max_size=4)
integers = st.one_of(st.integers(-2, 2), st.sampled_from([-(2**63), 2**63 - 1]))
times = st.one_of(st.integers(-2, 2).map(lambda n: n * wire.SECOND), st.integers(-3, 3))
spaces = st.sampled_from([" ", "  ", "\t", " \r\n"])


@dataclass(frozen=True)
class Leaf:
    """A comparison: what it says and how it is written."""

    name: str
    operator: str
    value: str | int
    text: str


@dataclass(frozen=True)
class Group:
    """Members joined by one word."""

    word: str
    members: tuple["Tree", ...]


Tree = Leaf | Group


@st.composite
def literals(draw: st.DrawFn, kind: str) -> tuple[str | int, str]:
    """Give a value and one of the ways to write it."""
    if kind == "text":
        value = draw(sayable)
        return value, "'" + value.replace("'", "''") + "'"
    if kind == "integer":
        number = draw(integers)
        return number, str(number)
    if kind == "boolean":
        truth = draw(st.booleans())
        return int(truth), draw(st.sampled_from([str(truth), str(truth).lower()]))
    moment = draw(times)
    prefix = draw(st.sampled_from(["DateTime", "datetime", "DATETIME"]))
    if moment % wire.SECOND == 0 and draw(st.booleans()):
        return moment, f"{prefix}'{email.utils.formatdate(moment // wire.SECOND, usegmt=True)}'"
    return moment, f"{prefix}'{wire.time_text(moment)}'"


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    """Give a comparison, with any spacing."""
    name = draw(st.sampled_from(sorted(PROPERTIES)))
    word = draw(st.sampled_from(PROPERTIES[name].operators))
    value, text = draw(literals(PROPERTIES[name].kind))
    if word == "startswith":
        some = [draw(st.sampled_from(["", " "])) for _ in range(5)]
        written = f"startswith{some[0]}({some[1]}{name}{some[2]},{some[3]}{text}{some[4]})"
    else:
        written = f"{name}{draw(spaces)}{word}{draw(spaces)}{text}"
    return Leaf(name, word, value, written)


trees: st.SearchStrategy[Tree] = st.recursive(
    leaves(),
    lambda inner: st.builds(Group, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4).map(tuple)),
    max_leaves=12,
)


@st.composite
def filters_and_trees(draw: st.DrawFn) -> tuple[str, Tree]:
    """Give a tree and one of the ways to write it: parentheses where they must be, and some where they need not."""

    def written(tree: Tree, around: str) -> str:
        if isinstance(tree, Leaf):
            text = tree.text
        else:
            text = f"{draw(spaces)}{tree.word}{draw(spaces)}".join(written(each, tree.word) for each in tree.members)
        needed = isinstance(tree, Group) and (tree.word, around) == ("or", "and")
        return f"({text} )" if needed or draw(st.integers(0, 3)) == 0 else text

    tree = draw(trees)
    return written(tree, ""), tree


records = st.fixed_dictionaries({
    "id": st.none() | stored,
    "info/name": st.none() | stored,
    "exitCode": st.none() | integers,
    "enabled": st.none() | st.integers(0, 1),
    "time": st.none() | times,
})  # fmt: skip


def is_so(tree: Tree, record: Mapping[str, object]) -> bool:
    """Evaluate a tree the plain way; the lower case of bytes is that of ASCII."""
    if isinstance(tree, Group):
        return (any if tree.word == "or" else all)([is_so(member, record) for member in tree.members])
    held, value = (
        thing.encode().lower() if isinstance(thing, str) else thing for thing in (record[tree.name], tree.value)
    )
    if held is None:
        return False
    if isinstance(held, bytes) and isinstance(value, bytes) and tree.operator == "startswith":
        return held.startswith(value)
    return bool(getattr(operator, tree.operator)(held, value))


def selected(expression: filters.Expression, rows: Iterable[Mapping[str, object]]) -> list[int]:
    """Say which of some records SQLite selects, by their numbers from 1."""
    condition, parameters = expression.sql(COLUMNS)
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(TABLE)
        database.executemany(
            "INSERT INTO things VALUES (?, ?, ?, ?, ?)", [[row[name] for name in PROPERTIES] for row in rows]
        )
        statement = f"SELECT rowid FROM things WHERE 1 AND {condition} ORDER BY rowid"  # noqa: S608 - it is what is tested
        return [number for (number,) in database.execute(statement, parameters)]


def runs(expression: filters.Expression, value: object = 1) -> bool:
    """Say whether SQLite selects the one record, by its `a`, in a statement that nests more than listings do."""
    condition, parameters = expression.sql({"a": "json_extract(thing.body, '$.a')"})
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE thing (id TEXT, body TEXT)")
        database.execute("INSERT INTO thing VALUES ('id', json_object('a', ?))", [value])
        is_known = "EXISTS (SELECT 1 FROM thing AS other WHERE other.id = thing.id)"
        nested = f"{'(' * 10}{condition}{')' * 10}"
        statement = f"SELECT id FROM thing WHERE {is_known} AND (id > '' AND {nested}) ORDER BY id LIMIT 9"  # noqa: S608 - it is what is tested
        return database.execute(statement, parameters).fetchall() == [("id",)]


def matching(text: str, *values: object, name: str = "id") -> list[object]:
    """Give those of some values of a property that a filter selects, in both ways."""
    rows = [{**dict.fromkeys(PROPERTIES), name: value} for value in values]
    expression = parse(text, PROPERTIES)
    in_python = [row[name] for row in rows if expression.holds(row)]
    assert [rows[number - 1][name] for number in selected(expression, rows)] == in_python
    return in_python


@given(written=filters_and_trees(), rows=st.lists(records, min_size=1, max_size=8))
def test_sql_selects_exactly_what_python_and_the_plain_reading_say(
    written: tuple[str, Tree], rows: list[dict[str, object]]
) -> None:
    """Three ways, one answer, for any expression over any records."""
    text, tree = written
    expression = parse(text, PROPERTIES)
    plain = [number for number, row in enumerate(rows, 1) if is_so(tree, row)]

    assert [number for number, row in enumerate(rows, 1) if expression.holds(row)] == plain
    assert selected(expression, rows) == plain


@given(word=st.sampled_from(PROPERTIES["id"].operators), value=sayable, rest=stored, change=st.booleans())
@example(word="startswith", value="@", rest="[", change=False)
@example(word="startswith", value="a\ud7ff", rest="\ue000", change=False)
@example(word="startswith", value="\U0010ffff", rest="\U0010ffff", change=False)
@example(word="startswith", value="a_%", rest="", change=True)
def test_texts_that_are_nearly_alike_are_told_apart_alike(word: str, value: str, rest: str, change: bool) -> None:
    """Random texts are seldom close; these begin with the literal, or with it in the other case."""
    text = "'" + value.replace("'", "''") + "'"
    near = [value + rest, value.swapcase() + rest, value[:-1] + rest, value, rest + value if change else rest]
    leaf = Leaf("id", word, value, f"startswith(id,{text})" if word == "startswith" else f"id {word} {text}")

    expected = [each for each in near if is_so(leaf, {"id": each})]

    assert matching(leaf.text, *near) == expected


@settings(max_examples=100)
@given(written=filters_and_trees())
def test_sql_is_made_of_columns_operators_and_question_marks_only(written: tuple[str, Tree]) -> None:
    """A literal can only be a parameter, so none can be read as SQL."""
    condition, parameters = parse(written[0], PROPERTIES).sql(dict.fromkeys(PROPERTIES, "column"))

    assert re.sub(r"\(column\)( COLLATE NOCASE)? (=|<>|<|<=|>|>=) \?", "x", condition).strip("(x) ANDOR") == ""
    assert condition.count("?") == len(parameters)
    assert all(type(parameter) in {str, int} for parameter in parameters)


def test_a_condition_can_stand_beside_others() -> None:
    """It comes in parentheses."""
    assert parse("exitCode eq 1 or exitCode eq 2", PROPERTIES).sql(COLUMNS) == (
        "((exit_code) = ? OR (exit_code) = ?)",
        [1, 2],
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("exitCode eq 1 or exitCode ge 0 and exitCode lt 0", [1]),
        ("exitCode lt 0 and exitCode ge 0 or exitCode eq 1", [1]),
        ("(exitCode eq 1 or exitCode ge 0) and exitCode lt 2", [0, 1]),
        ("exitCode lt 2 and (exitCode eq 1 or exitCode eq 2)", [1]),
    ],
)
def test_and_binds_tighter_than_or(text: str, values: list[object]) -> None:
    """Unless parentheses say otherwise."""
    assert matching(text, 0, 1, 2, name="exitCode") == values


@pytest.mark.parametrize("word", ORDER)
def test_what_has_no_value_matches_nothing(word: str) -> None:
    """A task that never ran has no exit code: not even one that is not 0."""
    assert matching(f"exitCode {word} 0", None, name="exitCode") == []
    assert not parse(f"exitCode {word} 0", PROPERTIES).holds({})


def test_what_has_no_value_does_not_hide_what_else_matches() -> None:
    """SQL's unknown or true is true."""
    assert matching("exitCode ne 0 or startswith(id,'')", "a", None) == ["a"]


def test_values_are_compared_without_regard_to_case_in_ascii_only() -> None:
    """The Kelvin sign and the accented letters are other letters than their lower case."""
    assert matching("id eq 'KÉ'", "kÉ", "KÉ", "ké", "\u212aÉ") == ["kÉ", "KÉ"]
    assert matching("startswith(id,'tAsK_')", "Task_1", "task-1", "TASK_") == ["Task_1", "TASK_"]


def test_a_doubled_quote_is_a_quote() -> None:
    """It is the only escape."""
    assert matching("id eq '''it''s\\'", "'it's\\", "it's") == ["'it's\\"]


def test_a_time_is_read_in_both_its_forms_and_to_the_microsecond() -> None:
    """Both forms mean the same moment."""
    moment = wire.parse_time("2011-05-08T08:49:37Z")
    near = [moment - 1, moment, moment + 1]

    assert matching("time eq DateTime'2011-05-08T08:49:37Z'", *near, name="time") == [moment]
    assert matching("time ge datetime'Sun, 08 May 2011 08:49:37 GMT'", *near, name="time") == near[1:]
    assert matching("time gt DateTime'2011-05-08T10:49:37.000000+02:00'", *near, name="time") == near[2:]


A_PROPERTY = "a property that can be filtered by (id, info/name, exitCode, enabled, time)"
A_TIME = "a time such as DateTime'2011-05-08T08:49:37Z'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{A_PROPERTY} is missing, at the end"),
        ("(", f"{A_PROPERTY} is missing, at the end"),
        (
            "exitCode eq 1 and ID eq 'a'",
            f"{A_PROPERTY} is expected, not 'ID', at character 19",
        ),
        (
            "'id' eq 'a'",
            f"{A_PROPERTY} is expected, not \"'id'\", at character 1",
        ),
        ("id", "an operator (eq, ne, gt, ge, lt, le) is missing, at the end"),
        ("id like 'a'", "an operator (eq, ne, gt, ge, lt, le) is expected, not 'like', at character 4"),
        ("id EQ 'a'", "an operator (eq, ne, gt, ge, lt, le) is expected, not 'EQ', at character 4"),
        ("enabled gt true", "enabled can't be filtered by gt, only by eq, ne, at character 9"),
        (
            "startswith(exitCode,'1')",
            "exitCode can't be filtered by startswith, only by eq, ne, gt, ge, lt, le, at character 12",
        ),
        ("startswith id", "'(' is expected, not 'id', at character 12"),
        ("startswith(id 'a')", "',' is expected, not \"'a'\", at character 15"),
        ("startswith(id,'a'", "')' is missing, at the end"),
        ("startswith(id,1)", "a string in single quotes is expected, not '1', at character 15"),
        ("id eq", "a string in single quotes is missing, at the end"),
        ("id eq 5", "a string in single quotes is expected, not '5', at character 7"),
        ("id eq DateTime'a'", "a string in single quotes is expected, not \"DateTime'a'\", at character 7"),
        ("id eq 'a''b", "a quote is not closed, at character 7"),
        ("id eq 'a\0'", "a string can hold neither NUL nor surrogates, at character 7"),
        ("id eq '\udc80'", "a string can hold neither NUL nor surrogates, at character 7"),
        ("exitCode eq '1'", "an integer is expected, not \"'1'\", at character 13"),
        ("exitCode eq 1.5", "an integer is expected, not '1.5', at character 13"),
        ("exitCode eq +1", "an integer is expected, not '+1', at character 13"),
        ("exitCode eq ١", "an integer is expected, not '١', at character 13"),
        ("exitCode eq null", "an integer is expected, not 'null', at character 13"),
        ("exitCode eq 9223372036854775808", "an integer can have 64 bits, at character 13"),
        ("exitCode eq -9223372036854775809", "an integer can have 64 bits, at character 13"),
        (f"exitCode eq {'9' * 8000}", "an integer can have 64 bits, at character 13"),
        ("enabled eq 1", "true or false is expected, not '1', at character 12"),
        (
            "time eq '2011-05-08T08:49:37Z'",
            "a time such as DateTime'2011-05-08T08:49:37Z' is expected, not \"'2011-05-08T08:49:37Z'\", at character 9",
        ),
        (
            "time eq DateTime'2011-13-08T08:49:37Z'",
            f"{A_TIME} is expected, not \"DateTime'2011-13-08T08:49:37Z'\", at character 9",
        ),
        (
            "time eq DateTime'Sun, 06 Nov 1994 08:49:37 +99999999999999'",
            f"{A_TIME} is expected, not \"DateTime'Sun, 06 Nov 1994 08:49:37 +99999999999999'\", at character 9",
        ),
        ("(id eq 'a'", "')' is missing, at the end"),
        ("id eq 'a')", "and, or, or the end is expected, not ')', at character 10"),
        ("id eq 'a' id eq 'b'", "and, or, or the end is expected, not 'id', at character 11"),
        ("id eq 'a' AND id eq 'b'", "and, or, or the end is expected, not 'AND', at character 11"),
        ("id eq 'a'\xa0", r"and, or, or the end is expected, not '\xa0', at character 10"),
        (
            "not (id eq 'a')",
            f"{A_PROPERTY} is expected, not 'not', at character 1",
        ),
        (f"id eq {'x' * 999}", f"a string in single quotes is expected, not '{'x' * 64}', at character 7"),
        ("'" * 8193, "the filter has 8193 characters, and may have 8192"),
    ],
)
def test_what_is_no_filter_is_refused_with_what_is_wrong_and_where(text: str, message: str) -> None:
    """The message becomes the text of an answer."""
    with pytest.raises(InvalidFilter) as refused:
        parse(text, PROPERTIES)

    assert str(refused.value) == message


PIECES = [
    *PROPERTIES,
    *ORDER,
    "startswith",
    "and",
    "or",
    "(",
    ")",
    ",",
    "'",
    "''",
    "'a'",
    "1",
    "true",
    "DateTime",
    "\0",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=30), spaces | st.just(""))
def test_any_text_is_read_or_refused_with_a_text_that_can_be_sent(pieces: list[str], space: str) -> None:
    """Nothing else is raised, whatever comes."""
    try:
        expression = parse(space.join(pieces), PROPERTIES)
    except InvalidFilter as refused:
        assert str(refused).isprintable()  # noqa: PT017 - some texts are refused, others are read
    else:
        assert selected(expression, []) == []


ONE = {"a": Property("integer", ORDER)}


def nested_last(depth: int) -> str:
    """Open each parenthesis at the end of its group, which is what SQLite's parser likes least."""
    return "a eq 1 and (a eq 2 or " * depth + "a eq 1" + ")" * depth


def nested_first(depth: int) -> str:
    """Open each parenthesis at the start of its group."""
    return "(" * depth + "a eq 1" + " or a eq 2) and a eq 1" * depth


def nested_alone(depth: int) -> str:
    """Open parentheses that mean nothing."""
    return "(" * depth + "a eq 1" + ")" * depth


def bushy(depth: int) -> str:
    """Nest in both members of each group."""
    if depth == 0:
        return "a eq 1"
    return f"({bushy(depth - 1)} or {bushy(depth - 1)}) and ({bushy(depth - 1)} or {bushy(depth - 1)})"


def hard_filters() -> Iterator[str]:
    """Give filters that have both a deep nest and a bushy end, ever harder, all within the length."""
    for twigs in range(5):
        for depth in range(65):
            text = "(" * depth + bushy(twigs) + " or a eq 1) and a eq 1" * depth
            if len(text) <= filters.LONGEST:
                yield text


@pytest.mark.parametrize("nested", [nested_last, nested_first, nested_alone])
def test_64_parentheses_can_be_open_and_no_more(nested: Callable[[int], str]) -> None:
    """SQLite alone would give up at a fifth of that where they open last."""
    expression = parse(nested(64), ONE)

    assert expression.holds({"a": 1})
    assert runs(expression)
    with pytest.raises(InvalidFilter, match="nested more than 64 deep, at character"):
        parse(nested(65), ONE)


def test_thousands_of_parentheses_are_refused() -> None:
    """Before Python's stack ends."""
    with pytest.raises(InvalidFilter, match=r"nested more than 64 deep, at character 65$"):
        parse("(" * filters.LONGEST, ONE)


def test_parentheses_one_after_the_other_are_not_nested() -> None:
    """Depth is what is open at once."""
    assert runs(parse(" or ".join(["(a eq 1)"] * 100), ONE))


def test_what_is_read_is_never_too_much_for_sqlite() -> None:
    """However nested; and what comes near to that is refused in words."""
    refusals = set()
    for text in hard_filters():
        try:
            expression = parse(text, ONE)
        except InvalidFilter as refused:
            refusals.add(str(refused))
        else:
            assert runs(expression)

    assert "parentheses are nested too deeply in too many places" in refusals


@pytest.mark.parametrize("word", ["and", "or"])
def test_a_chain_has_at_most_500_comparisons(word: str) -> None:
    """As many as SQLite takes, with room for the statement around them."""
    assert runs(parse(f" {word} ".join(["a eq 1"] * 500), ONE))
    with pytest.raises(InvalidFilter, match=r"more than 500 comparisons, at character 5\d\d\d$"):
        parse(f" {word} ".join(["a eq 1"] * 501), ONE)


def test_the_longest_chain_of_startswith_runs() -> None:
    """Each of them is two comparisons in SQL."""
    text = " and ".join(["startswith(a,'')"] * 390)
    expression = parse(text, {"a": Property("text", ("startswith",))})

    assert len(text) > filters.LONGEST - 20
    assert runs(expression, "text")


def test_chains_of_thousands_are_refused() -> None:
    """Their length tells, before they are read."""
    with pytest.raises(InvalidFilter, match="the filter has 49996 characters, and may have 8192"):
        parse(" or ".join(["a eq 1"] * 5000), ONE)


@pytest.mark.parametrize("text", ["id eq 'Task'", "startswith(id,'Task-')", "id eq 'a' or id eq 'b'"])
def test_an_index_that_knows_no_case_is_followed(text: str) -> None:
    """A listing by id is no scan."""
    condition, parameters = parse(text, PROPERTIES).sql({"id": "id"})
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE things (id TEXT, body TEXT)")
        database.execute("CREATE INDEX things_id ON things (id COLLATE NOCASE)")
        plan = database.execute(f"EXPLAIN QUERY PLAN SELECT body FROM things WHERE {condition}", parameters).fetchall()  # noqa: S608 - it is what is tested

    steps = [detail for *_, detail in plan if "things" in detail]
    assert steps
    assert all(detail.startswith("SEARCH things USING INDEX things_id") for detail in steps)


ALL = {"startswith", *ORDER}
SIX = {*ORDER}
SAME = {"eq", "ne"}
LITERALS = {"text": "'a'", "integer": "-1", "boolean": "true", "time": "DateTime'2011-05-08T08:49:37Z'"}


@pytest.mark.parametrize(
    ("properties", "operators"),
    [
        (
            filters.TASKS,
            {
                "id": ALL,
                "state": SAME,
                "stateTransitionTime": SIX,
                "creationTime": SIX,
                "lastModifiedTime": SIX,
                "executionInfo/startTime": SIX,
                "executionInfo/endTime": SIX,
                "executionInfo/exitCode": SIX,
                "executionInfo/result": SAME,
            },
        ),
        (
            filters.JOBS,
            {
                "id": ALL,
                "state": SAME,
                "stateTransitionTime": SIX,
                "creationTime": SIX,
                "lastModified": SIX,
                "executionInfo/startTime": SIX,
                "executionInfo/endTime": SIX,
                "executionInfo/poolId": ALL,
            },
        ),
        (
            filters.POOLS,
            {
                "id": ALL,
                "state": SAME,
                "stateTransitionTime": SIX,
                "allocationState": {"eq"},
                "allocationStateTransitionTime": SIX,
                "creationTime": SIX,
                "lastModified": SIX,
                "enableAutoScale": SAME,
                "vmSize": ALL,
                "enableInterNodeCommunication": SAME,
            },
        ),
        (
            filters.NODES,
            {
                "state": SAME,
                "stateTransitionTime": SIX,
                "lastBootTime": SIX,
                "allocationTime": SIX,
                "startTaskInfo/state": {"eq"},
                "startTaskInfo/result": SAME,
                "startTaskInfo/exitCode": SIX,
                "startTaskInfo/startTime": SIX,
                "startTaskInfo/endTime": SIX,
            },
        ),
        (filters.FILES, {"name": {"startswith"}}),
        (filters.NODE_COUNTS, {"poolId": {"eq"}}),
        (filters.IMAGES, {"osType": SAME, "verificationType": SAME, "nodeAgentSKUId": ALL}),
    ],
    ids=["tasks", "jobs", "pools", "nodes", "files", "node counts", "images"],
)
def test_each_resource_is_filtered_by_what_the_service_documents(
    properties: Mapping[str, Property], operators: Mapping[str, set[str]]
) -> None:
    """These properties, these operators, and no others."""

    def is_read(name: str, word: str) -> bool:
        literal = LITERALS[properties[name].kind]
        try:
            parse(f"startswith({name},{literal})" if word == "startswith" else f"{name} {word} {literal}", properties)
        except InvalidFilter:
            return False
        return True

    assert {name: {word for word in ALL if is_read(name, word)} for name in properties} == operators


def test_the_kinds_of_properties_are_those_of_their_fields() -> None:
    """What isn't a text is a time, an exit code, or a yes or no."""
    every = [table.items() for table in (filters.TASKS, filters.JOBS, filters.POOLS, filters.NODES)]
    kinds = {name: known.kind for table in every for name, known in table}

    assert {name for name, kind in kinds.items() if kind == "integer"} == {
        "executionInfo/exitCode",
        "startTaskInfo/exitCode",
    }
    assert {name for name, kind in kinds.items() if kind == "boolean"} == {
        "enableAutoScale",
        "enableInterNodeCommunication",
    }
    assert {name for name, kind in kinds.items() if kind == "time"} == {
        name for name in kinds if "Time" in name or name == "lastModified"
    }
