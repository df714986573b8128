r"""Words as BuildKit's shell lexer has them: its own tables (envVarTest, lex_test.go) as facts."""

from __future__ import annotations

import pytest

from pinner.rewrite.dockerfile.refusals import CannotExpand
from pinner.rewrite.dockerfile.words import expand
from pinner.rewrite.located import NOWHERE, Located

SHELL = {"PWD": "/home", "SHELL": "bash", "KOREAN": "한국어", "NULL": ""}

# Source, and what becomes of it; None where BuildKit refuses.
ENV_VAR_TABLE: list[tuple[str, str | None]] = [
    ("hello", "hello"),
    ("he'll'o", "hello"),
    ("he'llo", None),
    (r"he\'llo", "he'llo"),
    (r"he\\'llo", None),
    (r"abc\tdef", "abctdef"),
    (r'"abc\tdef"', r"abc\tdef"),
    (r'"abc\\tdef"', r"abc\tdef"),
    (r"'abc\tdef'", r"abc\tdef"),
    ("hello\\", "hello"),
    (r"hello\\", "hello\\"),
    ('"hello', None),
    (r'"hello\"', None),
    ('"hel\'lo"', "hel'lo"),
    ("'hello", None),
    (r"'hello\'", "hello\\"),
    (r"'hello\there'", r"hello\there"),
    (r"'hello\\there'", r"hello\\there"),
    ("\"''\"", "''"),
    ("$.", "$."),
    ("$1", ""),
    ("he$1x", "hex"),
    ("he$.x", "he$.x"),
    ("he$pwd.", "he."),
    ("he$PWD", "he/home"),
    (r"he\$PWD", "he$PWD"),
    (r"he\\$PWD", r"he\/home"),
    (r'"he\$PWD"', "he$PWD"),
    (r'"he\\$PWD"', r"he\/home"),
    (r"\${}", "${}"),
    (r"\${}aaa", "${}aaa"),
    (r"he\${}", "he${}"),
    (r"he\${}xx", "he${}xx"),
    ("${}", None),
    ("${}aaa", None),
    ("he${}", None),
    ("he${}xx", None),
    ("he${hi}", "he"),
    ("he${hi}xx", "hexx"),
    ("he${PWD}", "he/home"),
    ("he${.}", None),
    ("he${XXX:-000}xx", "he000xx"),
    ("he${PWD:-000}xx", "he/homexx"),
    ("he${XXX:-$PWD}xx", "he/homexx"),
    ("he${XXX:-${PWD:-yyy}}xx", "he/homexx"),
    ("he${XXX:-${YYY:-yyy}}xx", "heyyyxx"),
    ("he${XXX:YYY}", None),
    ("he${XXX:+${PWD}}xx", "hexx"),
    ("he${PWD:+${XXX}}xx", "hexx"),
    ("he${PWD:+${SHELL}}xx", "hebashxx"),
    ("he${XXX:+000}xx", "hexx"),
    ("he${PWD:+000}xx", "he000xx"),
    ("'he${XX}'", "he${XX}"),
    ('"he${PWD}"', "he/home"),
    ("\"he'$PWD'\"", "he'/home'"),
    ('"$PWD"', "/home"),
    ("'$PWD'", "$PWD"),
    (r"'\$PWD'", r"\$PWD"),
    ("'\"hello\"'", '"hello"'),
    (r"'he\$PWD'", r"he\$PWD"),
    ("he${PWD", None),
    ("he${PWD:=000}xx", None),
    ("he${PWD:+${PWD}:}xx", "he/home:xx"),
    (r"he${XXX:-\$PWD:}xx", "he$PWD:xx"),
    (r"he${XXX:-\${PWD}z}xx", "he${PWDz}xx"),
    ("안녕하세요", "안녕하세요"),
    ("안'녕'하세요", "안녕하세요"),
    ("안'녕하세요", None),
    (r"안녕\'하세요", "안녕'하세요"),
    (r"안\\'녕하세요", None),
    (r"안녕\t하세요", "안녕t하세요"),
    (r'"안녕\t하세요"', r"안녕\t하세요"),
    ("안녕하세요\\", "안녕하세요"),
    (r"안녕하세요\\", "안녕하세요\\"),
    ('"안녕하세요', None),
    ("안녕$1x", "안녕x"),
    ("안녕$.x", "안녕$.x"),
    ("안녕$pwd.", "안녕."),
    ("안녕${hi}xx", "안녕xx"),
    ("안녕${XXX:-${PWD:-yyy}}xx", "안녕/homexx"),
    ("\"안녕'$PWD'\"", "안녕'/home'"),
    ("$KOREAN", "한국어"),
    ("안녕$KOREAN", "안녕한국어"),
    ("${{aaa}", None),
    ("${aaa}}", "}"),
    ("${aaa", None),
    ("${{aaa:-bbb}", None),
    ("${aaa:-bbb}}", "bbb}"),
    ("${aaa:-bbb", None),
    ("${aaa:-bbb}", "bbb"),
    ("${aaa:-${bbb:-ccc}}", "ccc"),
    ("${aaa:-bbb ${foo}", None),
    ("${aaa:-bbb {foo}", "bbb {foo"),
    ("${:}", None),
    ("${:-bbb}", None),
    ("${:+bbb}", None),
]

THREE = {"FOO": "xxx", "BAR": ""}
PATHS = {"FOO": "/foo*/*/*.txt", "NEEDLE": r"\*/"}
TWICE = {"FOO": "/tmp/tmp/bar.txt", "NEEDLE": "/tmp"}
SHORTER = {"FOO": "/a/foo/b/c.txt", "NEEDLE": "/?/", "REPLACEMENT": "/"}
XXYY = {"FOO": "xxyy"}

# Source, variables, result, and the variables that have no value.
MATCHES: list[tuple[str, dict[str, str], str | None, set[str]]] = [
    ("x", {"DUMMY": "dummy"}, "x", set()),
    ("x ${UNUSED}", {"DUMMY": "dummy"}, "x ", {"UNUSED"}),
    ("x ${FOO}", {"FOO": "y"}, "x y", set()),
    ("${FOO-aaa} ${BAR-bbb} ${BAZ-ccc}", THREE, "xxx  ccc", set()),
    ("${FOO:-aaa} ${BAR:-bbb} ${BAZ:-ccc}", THREE, "xxx bbb ccc", set()),
    ("${FOO:-}", THREE, "xxx", set()),
    ("${FOO:-}", {}, "", set()),
    ("${FOO+aaa} ${BAR+bbb} ${BAZ+ccc}", THREE, "aaa bbb ", set()),
    ("${FOO:+aaa} ${BAR:+bbb} ${BAZ:+ccc}", THREE, "aaa  ", set()),
    ("${FOO?aaa}", THREE, "xxx", set()),
    ("${BAR?bbb}", THREE, "", set()),
    ("${BAZ?ccc}", THREE, None, set()),
    ("${FOO:?aaa}", THREE, "xxx", set()),
    ("${BAR:?bbb}", THREE, None, set()),
    ("${BAZ:?ccc}", THREE, None, set()),
    ("${BAZ:?}", THREE, None, set()),
    ("${FOO=aaa}", THREE, None, set()),
    ("${FOO=:aaa}", THREE, None, set()),
    ("${FOO=}", {}, None, set()),
    (r"${FOO#()[]{\}^$.\*\?|\\}", {"FOO": "()[]{}^$.*?|\\x"}, "x", set()),
    (r"${FOO%%\**}", {"FOO": "xx**"}, "xx", set()),
    ("${FOO#*x*y}", XXYY, "y", set()),
    ("${FOO#*}", XXYY, "xxyy", set()),
    ("${FOO#$BAR}", {"FOO": "xxyy", "BAR": "x"}, "xyy", set()),
    ("${FOO#$BAR}", {"FOO": "xxyy", "BAR": ""}, "xxyy", set()),
    ("${FOO#}", XXYY, "xxyy", set()),
    ("${FOO##*x}", XXYY, "yy", set()),
    ("${FOO##}", XXYY, "xxyy", set()),
    (r"${FOO#?\?}", {"FOO": "???y"}, "?y", set()),
    ("${ABC:-.}${FOO%x}${ABC:-.}", XXYY, ".xxyy.", set()),
    (r"${FOO%%\**\*}", {"FOO": "a***yy*"}, "a", set()),
    ("${FOO%}", XXYY, "xxyy", set()),
    ("${FOO%%$BAR}", {"FOO": "xxyy", "BAR": ""}, "xxyy", set()),
    ("${FOO/$NEEDLE/.} - ${FOO//$NEEDLE/.}", PATHS, "/foo.*/*.txt - /foo..*.txt", set()),
    ("${FOO/$NEEDLE/} - ${FOO//$NEEDLE/}", TWICE, "/tmp/bar.txt - /bar.txt", set()),
    (
        "${FOO/$NEEDLE/$REPLACEMENT} - ${FOO//$NEEDLE/$REPLACEMENT}",
        SHORTER,
        "/foo/b/c.txt - /foo/c.txt",
        set(),
    ),
    (r"${FOO//\//\/}", {"FOO": "/tmp/foo.txt"}, r"\/tmp\/foo.txt", set()),
    ("${FOO/$BAR/ww}", {"FOO": "xxyy", "BAR": ""}, "wwxxyy", set()),
    ("${FOO//ww}", XXYY, None, set()),
    ("${FOO//}", XXYY, None, set()),
    ("${FOO///}", XXYY, "xxyy", set()),
    ("${FOO///}", {}, "", {"FOO"}),
]

# By lex.go alone: its tests have none of these.
BY_SOURCE: list[tuple[str, dict[str, str], str | None, set[str]]] = [
    ("${FOO:-$NONE}", THREE, "xxx", set()),
    ("${BAR:-$NONE}", THREE, "", {"NONE"}),
    ("${BAZ:+$NONE}", THREE, "", set()),
    ("${FOO:+$NONE}", THREE, "", {"NONE"}),
    ("${FOO//*/z}", XXYY, "z", set()),
    ("${FOO%y*}", XXYY, "xxy", set()),
    ("${FOO%%y*}", XXYY, "xx", set()),
    ("${FOO%?}", XXYY, "xxy", set()),
    (r"${FOO#\x}", XXYY, None, set()),
    (r"${FOO/\}/.}", {"FOO": "a}b"}, "a.b", set()),
    ("${FOO:#x}", XXYY, "xyy", set()),
    ("${FOO:0:1}", XXYY, None, set()),
    ("${FOO^^}", XXYY, None, set()),
    ("${!FOO}", XXYY, None, set()),
    ("$FOO$FOO-$FOO", {"FOO": "a"}, "aa-a", set()),
    ("$$FOO", XXYY, "FOO", {"$"}),
    ("${#}", {}, "", {"#"}),
]


def told(source: str, values: dict[str, str], escape: str = "\\") -> tuple[str, frozenset[str]]:
    word = Located.of(source.encode())
    expanded = expand(
        word, {name: Located.of(value.encode()) for name, value in values.items()}, escape=escape
    )
    return expanded.text.text.encode("latin-1").decode(), expanded.unset


@pytest.mark.parametrize(("source", "expected"), ENV_VAR_TABLE)
def test_buildkits_table_of_words(source: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(CannotExpand):
            told(source, SHELL)
    else:
        assert told(source, SHELL)[0] == expected


@pytest.mark.parametrize(("source", "values", "expected", "unset"), [*MATCHES, *BY_SOURCE])
def test_modifiers(
    source: str, values: dict[str, str], expected: str | None, unset: set[str]
) -> None:
    if expected is None:
        with pytest.raises(CannotExpand):
            told(source, values)
    else:
        assert told(source, values) == (expected, frozenset(unset))


@pytest.mark.parametrize(
    ("source", "expected"), [("`$FOO", "$FOO"), ("\\$FOO", "\\xxyy"), ('"`""', '"'), ("a``", "a`")]
)
def test_a_backtick_escapes_where_the_file_says_so(source: str, expected: str) -> None:
    assert told(source, XXYY, escape="`")[0] == expected


def test_every_character_knows_where_it_came_from() -> None:
    data = b'ARG T=3.19.1\nFROM a"l"pin\\e:${T%.*}'
    whole = Located.of(data)
    value, word = whole[6:12], whole[18 : len(data)]
    text = expand(word, {"T": value}, escape="\\").text
    assert text.text == "alpine:3.19"
    assert NOWHERE not in text.origins
    assert bytes(data[origin] for origin in text.origins).decode() == text.text


def test_the_words_of_an_error_are_safe_to_print() -> None:
    with pytest.raises(CannotExpand, match=r"FOO: a\\x1b\[31mb"):
        told("${FOO:?a\x1b[31mb}", {})


@pytest.mark.parametrize(
    "source",
    ["$A$A$A", "'$'" * 1100, "${B//x/$A}", '"$A$A"', "${NONE:-$A$A}", "${A#" + "*x" * 300 + "}"],
)
def test_what_no_reference_can_be_is_not_put_together(source: str) -> None:
    values = {"A": "a" * 600, "B": "x" * 600}
    if source.startswith("${A#"):
        assert told(source, values)[0] == values["A"]
        return
    with pytest.raises(CannotExpand, match="longer than any reference"):
        told(source, values)


def test_defaults_within_defaults_end() -> None:
    assert told("${A:-" * 30 + "x" + "}" * 30, {})[0] == "x"
    with pytest.raises(CannotExpand, match="nested too deeply"):
        told("${A:-" * 60 + "x" + "}" * 60, {})
