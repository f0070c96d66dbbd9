"""Laws of the pictures that the server lays out."""

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from airside.server.web.drawing.graph import NODE_HEIGHT, NODE_WIDTH, Drawing, draw, longest_path
from airside.server.web.drawing.heat import MAX_COLUMNS, MAX_ROWS, heat, heat_class
from airside.server.web.drawing.rollout import rollout_bar
from airside.server.web.drawing.spark import HEIGHT, MAX_POINTS, WIDTH, spark
from airside.server.web.drawing.whisker import whisker

values = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=60)


@st.composite
def graphs(draw_from: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    n = draw_from(st.integers(0, 14))
    ids = [f"n{i}" for i in range(n)]
    pairs = [(ids[a], ids[b]) for a, b in itertools.combinations(range(n), 2)]
    chosen = draw_from(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []
    return ids, chosen


def overlap(drawing: Drawing) -> bool:
    return any(
        abs(a.x - b.x) < NODE_WIDTH and abs(a.y - b.y) < NODE_HEIGHT
        for a, b in itertools.combinations(drawing.nodes, 2)
    )


def ends(path: str) -> tuple[float, float]:
    """The x of a path's beginning and end."""
    numbers = re.findall(r"[MC] ?|-?\d+\.?\d*,-?\d+\.?\d*", path)
    points = [part.split(",") for part in numbers if "," in part]
    return float(points[0][0]), float(points[-1][0])


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_nodes_never_overlap_and_lie_inside(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    drawing = draw(*graph)
    assert not overlap(drawing)
    assert {node.id for node in drawing.nodes} == set(graph[0])
    for node in drawing.nodes:
        assert 0 <= node.x <= drawing.width - NODE_WIDTH
        assert 0 <= node.y <= drawing.height - NODE_HEIGHT


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_edges_of_a_pipeline_point_right_from_side_to_side(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    drawing = draw(*graph)
    assert {(e.source, e.target) for e in drawing.edges} == set(graph[1])
    for edge in drawing.edges:
        start, end = ends(edge.path)
        assert start == drawing.place(edge.source).x + NODE_WIDTH
        assert end == drawing.place(edge.target).x
        assert end > start
        assert not edge.back


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_the_same_graph_is_drawn_the_same(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    assert draw(*graph) == draw(*graph)


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_a_node_stands_right_of_all_its_sources(graph: tuple[list[str], list[tuple[str, str]]]) -> None:
    ranks = longest_path(*graph)
    assert all(ranks[source] < ranks[target] for source, target in graph[1])


@settings(max_examples=50, deadline=None)
@given(graphs(), st.lists(st.integers(0, 4), min_size=14, max_size=14))
def test_given_columns_are_kept_and_loops_run_below_the_nodes(
    graph: tuple[list[str], list[tuple[str, str]]], columns: list[int]
) -> None:
    ids, edges = graph
    given_columns = dict(zip(ids, columns, strict=False))
    drawing = draw(ids, edges, given_columns)
    assert not overlap(drawing)
    for a, b in itertools.combinations(drawing.nodes, 2):
        assert (a.x < b.x) == (given_columns[a.id] < given_columns[b.id])
    for edge in drawing.edges:
        assert edge.back == (given_columns[edge.target] <= given_columns[edge.source])


def test_a_circle_does_not_hang_the_layout() -> None:
    drawing = draw(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")])
    assert not overlap(drawing)


def test_a_chain_of_five_hundred_is_drawn() -> None:
    ids = [str(i) for i in range(500)]
    assert len(draw(ids, itertools.pairwise(ids)).edges) == 499


@settings(max_examples=50)
@given(values, st.one_of(st.none(), st.floats(-1e6, 1e6)))
def test_a_spark_line_stays_in_its_box(series: list[float | None], reference: float | None) -> None:
    drawn = spark(series, reference)
    points = [tuple(map(float, p.split(","))) for line in drawn.lines for p in line.split()]
    assert len(points) <= MAX_POINTS
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert (drawn.last is None) == all(value is None for value in series[-MAX_POINTS:])


def test_noise_within_two_percent_of_the_reference_stays_flat() -> None:
    ys = [float(p.split(",")[1]) for p in spark([0.800, 0.801, 0.7995], 0.8).lines[0].split()]
    assert max(ys) - min(ys) < HEIGHT / 6


def test_a_gap_is_not_bridged() -> None:
    assert len(spark([1.0, 2.0, None, 3.0, 4.0]).lines) == 2


@settings(max_examples=50)
@given(st.floats(0, 10), st.floats(0, 10), st.floats(0.01, 5))
def test_heat_classes_rise_with_the_value_and_turn_at_the_threshold(a: float, b: float, threshold: float) -> None:
    low, high = heat_class(min(a, b), threshold), heat_class(max(a, b), threshold)
    assert low is not None
    assert high is not None
    assert low <= high
    assert (high >= 3) == (max(a, b) >= threshold)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 600), st.integers(0, 80))
def test_a_heat_map_is_bounded_and_loses_no_extreme(n_columns: int, n_rows: int) -> None:
    rows = {f"f{i}": [((i * 7 + k * 3) % 11) / 10 for k in range(n_columns)] for i in range(n_rows)}
    made = heat([str(k) for k in range(n_columns)], rows, 0.5)
    assert len(made.columns) <= MAX_COLUMNS
    assert len(made.rows) == min(n_rows, MAX_ROWS)
    assert made.n_hidden == max(n_rows - MAX_ROWS, 0)
    for row in made.rows:
        assert len(row.values) == len(made.columns)
        if n_columns:
            assert max(v for v in row.values if v is not None) == max(rows[row.name])
    exceedances = [row.exceedance for row in made.rows]
    assert exceedances == sorted(exceedances, reverse=True)


def test_a_missing_cell_has_no_class() -> None:
    assert heat(["a", "b"], {"x": [None, 1.0]}, 0.5).rows[0].classes == (None, 4)


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6))
def test_a_rollout_bar_is_filled_without_gap_or_overlap(percents: list[float]) -> None:
    bar = rollout_bar([(f"v{i}", "canary", percent) for i, percent in enumerate(percents)])
    assert bar.segments[0].x == 0
    for before, after in itertools.pairwise(bar.segments):
        assert abs(before.x + before.width - after.x) < 0.001
    assert abs(bar.segments[-1].x + bar.segments[-1].width - 100) < 0.001


def test_a_shadow_stands_beside_the_bar() -> None:
    bar = rollout_bar([("v1", "champion", 100.0), ("v2", "shadow", 0.0)])
    assert (len(bar.segments), bar.beside) == (1, ("v2",))


@settings(max_examples=50)
@given(st.floats(-100, 100), st.floats(0, 10), st.floats(0, 10), st.floats(-100, 100))
def test_a_whisker_keeps_the_order_of_what_it_shows(value: float, down: float, up: float, limit: float) -> None:
    drawn = whisker(value, value - down, value + up, [limit])
    assert drawn.low_x is not None
    assert drawn.value_x is not None
    assert drawn.high_x is not None
    assert 0 <= drawn.low_x <= drawn.value_x <= drawn.high_x <= drawn.width
    assert 0 <= drawn.limits_x[0] <= drawn.width
