"""How the findings about an object store are put into words."""

import msgspec
import pytest

from wheelfleet_coordinator.adapters.store_probe import StoreAbilities

ALL_WELL = StoreAbilities(*([True] * 11), clock_skew=0.0)


def test_nothing_is_said_of_a_store_that_does_everything():
    assert ALL_WELL.usable
    assert ALL_WELL.remarks == ()


@pytest.mark.parametrize("name", [name for name in StoreAbilities.__struct_fields__ if name != "clock_skew"])
def test_each_lack_has_its_sentence(name):
    assert len(msgspec.structs.replace(ALL_WELL, **{name: False}).remarks) == 1


@pytest.mark.parametrize("name", ["authenticated", "key_enforced", "expiry_enforced", "paging", "ranges"])
def test_some_lacks_make_a_store_unusable(name):
    assert not msgspec.structs.replace(ALL_WELL, **{name: False}).usable


@pytest.mark.parametrize("name", ["content_enforced", "create_only", "slash_keys", "content_type"])
def test_others_have_a_way_around(name):
    assert msgspec.structs.replace(ALL_WELL, **{name: False}).usable


@pytest.mark.parametrize("skew", [-61.0, 3600.0])
def test_clocks_that_differ_are_told(skew):
    assert "clock" in msgspec.structs.replace(ALL_WELL, clock_skew=skew).remarks[0]
