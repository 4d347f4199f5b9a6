"""The summaries of saved orders, byte for byte in fromager's form."""

import json

from wheelfleet_coordinator.core.sequence_summary import SequenceEntry, sequence_json, sequence_markdown

BUILT = SequenceEntry(
    "tool", "2.0", False, "https://a.example/tool-2.0.tar.gz", "/w/tool-2.0-0-py3-none-any.whl", False
)
NATIVE = SequenceEntry(
    "Lib", "10.0", False, "https://a.example/lib-10.0.tar.gz", "/w/lib-10.0-0-cp311-cp311-linux_x86_64.whl", False
)
PREBUILT = SequenceEntry(
    "six", "1.0", True, "https://a.example/six-1.0-py3-none-any.whl", "/w/six-1.0-py3-none-any.whl", False
)
SKIPPED = SequenceEntry("old", "1.0", False, "https://a.example/old-1.0.tar.gz", "/w/old-1.0-0-py3-none-any.whl", True)


def test_the_json_is_one_line_with_fromagers_keys_alone():
    text = sequence_json([BUILT, SKIPPED])
    assert "\n" not in text
    assert text.startswith('[{"name": "tool", "version": "2.0", "prebuilt": false, "download_url": ')
    assert [list(item) for item in json.loads(text)] == [
        ["name", "version", "prebuilt", "download_url", "wheel_filename", "skipped"]
    ] * 2
    assert sequence_json([]) == "[]"


def test_the_tables_are_sorted_and_count_what_is_bound_to_a_platform():
    text = sequence_markdown([BUILT, NATIVE, PREBUILT, SKIPPED], 1_795_000_000.0)
    lines = text.splitlines()
    assert lines[0] == "Build sequence summary 2026-11-18 11:06:40Z"
    table = [line for line in lines if line.startswith("|")]
    assert table[0].split("|")[1:3] == ["     Name ", " Version "]
    assert [line.split("|")[1].strip() for line in table[2:4]] == ["Lib", "tool"]
    assert [cell.strip() for cell in table[5].split("|")[1:4]] == ["total: 2", "", "platlib: 1"]
    assert {len(line) for line in table[:6]} == {len(table[0])}
    assert text.index("New builds") < text.index("Prebuilt wheels") < text.index("Skipped existing builds")
    assert "[tool-2.0.tar.gz](https://a.example/tool-2.0.tar.gz)" in text


def test_what_there_is_none_of_is_said():
    text = sequence_markdown([], 0.0)
    assert [line for line in text.splitlines() if line][1:] == [
        "No new builds",
        "No pre-built wheels",
        "No skipped builds",
    ]
