"""Overlays beside a plain model, and links beside the kernel's own resolution."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pinner.inventory.contents import Contents, Entry, Kind
from pinner.inventory.overlay import Overlay, Spot, State
from pinner.inventory.wanted import above
from support.openat2 import resolved_in_root

NAMES = ("a", "b", "c")
PATHS = ["/".join(path) for depth in (1, 2, 3) for path in itertools.product(NAMES, repeat=depth)]
paths = st.sampled_from(PATHS)
entries = st.one_of(
    st.builds(
        lambda path, data: Entry(path, Kind.FILE, data=b"%d" % data), paths, st.integers(0, 9)
    ),
    st.builds(lambda path: Entry(path, Kind.FOLDER), paths),
    st.builds(lambda path: Entry(path, Kind.OTHER), paths),
)
layers = st.builds(
    lambda entries, hidden, emptied: Contents(entries=entries, hidden=hidden, emptied=emptied),
    st.lists(entries, max_size=4).map(tuple),
    st.frozensets(paths, max_size=2),
    st.frozensets(paths | st.just(""), max_size=1),
)
stacks = st.lists(layers, max_size=4)

Model = dict[str, bytes | State]


def below(path: str, model: Model) -> list[str]:
    return [each for each in model if not path or each.startswith(f"{path}/")]


def remove(gone: list[str], model: Model) -> None:
    for path in gone:
        model.pop(path, None)


def stand(path: str, model: Model) -> None:
    """The folder of a member or a mark is a folder, whatever stood there."""
    for folder in [*above(path), path]:
        if folder:
            model[folder] = State.FOLDER


def modelled(stack: list[Contents]) -> Model:
    """The image by path: data of files, `FOLDER`, or `ODD`; image-spec layer.md word by word."""
    model: Model = {}
    for layer in stack:
        for path in sorted(layer.emptied):
            remove(below(path, model), model)
            stand(path, model)
        for path in sorted(layer.hidden):
            remove([path, *below(path, model)], model)
            stand(path.rpartition("/")[0], model)
        for entry in layer.entries:
            stand(entry.path.rpartition("/")[0], model)
            if entry.kind is Kind.FOLDER and model.get(entry.path) is State.FOLDER:
                continue
            for path in below(entry.path, model):
                del model[path]
            kinds = {Kind.FOLDER: State.FOLDER, Kind.OTHER: State.ODD}
            model[entry.path] = kinds.get(entry.kind, entry.data or b"")
    return model


def shown(spot: Spot) -> bytes | State:
    return spot.state if spot.data is None else spot.data


@given(stacks)
def test_an_overlay_is_what_the_model_says(stack: list[Contents]) -> None:
    image, model = Overlay(stack, is_whole=True), modelled(stack)
    for path in PATHS:
        assert shown(image.find(path)) == model.get(path, State.ABSENT), path


@given(stacks, st.integers(0, 4))
def test_what_upper_layers_tell_the_whole_image_does_not_deny(
    stack: list[Contents], count: int
) -> None:
    part, whole = Overlay(stack[count:], is_whole=False), Overlay(stack, is_whole=True)
    for path in PATHS:
        told, truth = shown(part.find(path)), shown(whole.find(path))
        assert told in {State.UNKNOWN, truth} or (told, truth) == (State.FOLDER, State.ABSENT)
        if part.find(path).knows_all:
            assert part.find(path).names == whole.find(path).names


@given(stacks, st.integers(0, 4))
def test_a_layer_that_cannot_be_read_is_like_unknown_layers_below(
    stack: list[Contents], count: int
) -> None:
    blind = Overlay([*stack[:count], None, *stack[count:]], is_whole=True)
    part = Overlay(stack[count:], is_whole=False)
    for path in PATHS:
        assert blind.find(path) == part.find(path)


targets = st.tuples(
    st.sampled_from(["", "/", "./", "//"]),
    st.lists(st.sampled_from([*NAMES, *NAMES, ".", "..", ""]), min_size=1, max_size=4),
).map(lambda pair: pair[0] + "/".join(pair[1]) or ".")
leaves = st.dictionaries(paths, targets | st.none(), max_size=6).map(
    lambda tree: {
        path: target for path, target in tree.items() if not any(up in tree for up in above(path))
    }
)


@given(leaves)
def test_links_lead_where_the_kernel_says(tree: dict[str, str | None]) -> None:
    entries = tuple(
        Entry(path, Kind.FILE, data=b"x") if target is None else Entry(path, Kind.SYMLINK, target)
        for path, target in tree.items()
    )
    image = Overlay([Contents(entries=entries)], is_whole=True)
    with TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder))
        for path, target in tree.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if target is None:
                place.write_bytes(b"x")
            else:
                place.symlink_to(target)
        for path in PATHS:
            _compare(image.find(path), root, resolved_in_root(root, path))


def _compare(spot: Spot, root: Path, real: str | None) -> None:
    if spot.why == "has too many links":
        return  # the kernel follows forty
    if real is None:
        assert spot.state is State.ABSENT
        return
    assert root / spot.real == Path(real)
    assert spot.state is (State.FOLDER if Path(real).is_dir() else State.FILE)
