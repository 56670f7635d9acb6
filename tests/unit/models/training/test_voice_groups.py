"""No clip is measured by a model that knows its source, nor by one that knows the same recording from elsewhere."""

from pathlib import Path

import pytest

from models.training.voice_data import Clip, read_manifest
from models.training.voice_groups import BLIND, GROUPS, NAMES, group_of, left_out, trained_on

SHARED = Path(__file__).parents[4].parent / "shared" / "data" / "voice"


def clip(source: str) -> Clip:
    return Clip(path=Path("a"), file="a", is_spoof=False, attack="-", source=source, era="modern")


def test_a_source_is_in_one_group() -> None:
    assert sum(map(len, GROUPS.values())) == len(frozenset().union(*GROUPS.values()))
    assert group_of("nobody/knows") == "rest"


def test_what_is_left_out_is_not_trained_on() -> None:
    clips = [clip(source) for name in GROUPS for source in sorted(GROUPS[name])] + [clip("local:made")]
    for name in NAMES:
        rows = set(left_out(clips, name))
        assert rows
        assert not rows & set(trained_on(clips, name))
        assert rows | set(trained_on(clips, name)) == set(range(len(clips)))


def test_the_model_in_use_knows_all_but_the_blind() -> None:
    clips = [clip("local:made"), *(clip(source) for source in sorted(BLIND))]
    assert trained_on(clips, None) == [0]


def test_everything_made_here_is_left_out_together() -> None:
    assert {group_of(source) for source in ("local:made", "local:pypi", "local:modern")} == {"rest"}


@pytest.mark.shared_data
def test_the_groups_name_sources_that_exist_and_each_holds_both_classes_of_both_eras() -> None:
    if not SHARED.exists():
        pytest.skip("shared data is not here")
    clips = read_manifest(SHARED)
    assert {clip.source for clip in clips} >= frozenset().union(*GROUPS.values(), BLIND)
    for name in NAMES:
        kinds = {(clips[row].is_spoof, clips[row].era) for row in left_out(clips, name)}
        assert len(kinds) == 4
