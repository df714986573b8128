"""Of any tags, a wish chooses one that it admits, and the same one in any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.reference import is_tag
from pinner.tagpolicy import InvalidWish, choose_tag
from pinner.tagpolicy.versions import VersionWish, parse_tag

numbers = st.lists(st.integers(0, 30), min_size=1, max_size=4)
endings = st.sampled_from(["", "", "", "rc1", "a2", ".post1", ".dev0", "beta", "k"])
variants = st.sampled_from(["", "", "alpine", "alpine3.20", "slim-bookworm", "rc1", "1"])


def tag_of(v: str, parts: list[int], ending: str, variant: str) -> str:
    version = v + ".".join(map(str, parts)) + ending
    return f"{version}-{variant}" if variant else version


tags = st.builds(tag_of, st.sampled_from(["", "", "v"]), numbers, endings, variants)
operators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
specifiers = st.lists(
    st.builds(
        lambda operator, parts, ending: operator + ".".join(map(str, parts)) + ending,
        operators,
        numbers,
        st.sampled_from(["", "", "rc1"]),
    ),
    min_size=1,
    max_size=3,
).map(",".join)
wishes = st.builds(
    lambda specifier, variant, precision: VersionWish(
        specifier=specifier, variant=variant, precision=precision
    ),
    specifiers,
    variants,
    st.none() | st.integers(1, 4),
)


@given(st.lists(tags), wishes)
def test_a_choice_is_admitted_and_the_best_of_its_group(
    found: list[str], wish: VersionWish
) -> None:
    chosen = choose_tag(found, wish)
    admitted = [tag for tag in found if wish.admits(tag)]
    assert (chosen is None) == (not admitted)
    if chosen is None:
        return
    assert chosen in admitted
    best = parse_tag(chosen)
    assert best is not None
    for tag in admitted:
        said = parse_tag(tag)
        assert said is not None
        assert said.variant == best.variant
        assert (said.precision, said.version) <= (best.precision, best.version)


@given(st.data(), st.lists(tags, max_size=12), wishes)
def test_order_and_repetition_do_not_matter(
    data: st.DataObject, found: list[str], wish: VersionWish
) -> None:
    shuffled = data.draw(st.permutations(found + found[:3]))
    assert choose_tag(shuffled, wish) == choose_tag(found, wish)


@given(st.lists(tags), wishes, tags)
def test_a_tag_that_is_not_admitted_changes_nothing(
    found: list[str], wish: VersionWish, other: str
) -> None:
    if not wish.admits(other):
        assert choose_tag([*found, other], wish) == choose_tag(found, wish)


@given(st.from_regex(r"v?[0-9a-z._-]{0,12}", fullmatch=True) | st.text(max_size=12))
def test_every_text_is_a_version_or_none(text: str) -> None:
    said = parse_tag(text)
    if said is not None:
        assert is_tag(text)
        assert said.precision >= 1
        assert text.endswith(said.variant)


def refused_well(error: InvalidWish) -> None:
    assert error.exit_code == 2
    assert str(error).replace("\n", "").isprintable()


@given(st.text(st.sampled_from("<>=!~0123.*,rc abx-\x1b"), max_size=12) | st.text(max_size=12))
def test_every_text_is_a_specifier_or_refused(text: str) -> None:
    try:
        wish = VersionWish(specifier=text)
    except InvalidWish as error:
        refused_well(error)
    else:
        wish.admits("1.2.3")
