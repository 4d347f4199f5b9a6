"""What the commands about build-order files do."""

from collections.abc import Sequence
from pathlib import Path, PurePath

from ..core.indented_json import indented_json
from ..core.order_table import numbered, order_csv, read_order_rows, summary_csv, summary_rows, with_kinds
from .reading import put_text, read_graph_file, read_input
from .settings import Format


def print_order(build_order: str, graph: str, output: Path | None, chosen: Format) -> None:
    """The table of one build order is written."""
    rows = read_order_rows(read_input(build_order), build_order)
    if graph:
        rows = with_kinds(rows, read_graph_file(graph))
    put_text(indented_json(numbered(rows)) + "\n" if chosen is Format.JSON else order_csv(rows), output)


def print_summary(build_orders: Sequence[str], output: Path | None, chosen: Format) -> None:
    """The table of several build orders is written."""
    rows = summary_rows([read_order_rows(read_input(name), name) for name in build_orders])
    names = [PurePath(name).parent.name for name in build_orders]
    put_text(indented_json(rows) + "\n" if chosen is Format.JSON else summary_csv(names, rows), output)
