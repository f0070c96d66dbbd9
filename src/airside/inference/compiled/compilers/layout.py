"""Features gathered by the block that makes them."""

from dataclasses import dataclass, field

from airside.inference.compiled.compilers.features import Arrays, Bins, Feature, Lookup, Source, Spline, refusal
from airside.inference.compiled.spec import BinsSpec, BlockSpec, LookupSpec, NumberSpec, SplineSpec


@dataclass
class Group:
    """A block and the features that it makes, each with its position in the estimator's matrix."""

    block: Source | Lookup | Bins | Spline
    spec: BlockSpec
    members: list[tuple[int, Feature]] = field(default_factory=list)


def grouped(features: list[Feature], arrays: Arrays, *, nullable: bool) -> list[Group]:
    """The groups in order of their first feature.

    Args:
        features: what the estimator takes.
        arrays: where knots and edges go.
        nullable: whether the estimator takes missing values.
    """
    groups: dict[object, Group] = {}
    for position, feature in enumerate(features):
        key = (feature.block, feature.steps) if isinstance(feature.block, Source) else id(feature.block)
        if key not in groups:
            groups[key] = Group(feature.block, _spec(feature, arrays, len(groups), nullable=nullable))
        group = groups[key]
        if isinstance(feature.block, Source) and group.members:  # the same number twice: a block each
            group = groups[position] = Group(feature.block, _spec(feature, arrays, len(groups), nullable=nullable))
        group.members.append((position, feature))
    return list(groups.values())


def _spec(feature: Feature, arrays: Arrays, at: int, *, nullable: bool) -> BlockSpec:
    block = feature.block
    match block:
        case Source(column=column, fill=None):
            fills = any(step.kind in {"impute", "missing"} for step in feature.steps)
            return NumberSpec(column=column, steps=feature.steps, nullable=nullable or fills)
        case Lookup():
            return LookupSpec(column=block.column, keys=block.keys)
        case Bins():
            name = arrays.add(f"edges_{at}", block.edges)
            return BinsSpec(column=block.column, steps=block.steps, edges=name, nullable=_fills(block))
        case Spline():
            name = arrays.add(f"knots_{at}", block.knots)
            return SplineSpec(
                column=block.column,
                steps=block.steps,
                knots=name,
                degree=block.degree,
                outputs=block.outputs,
                nullable=_fills(block),
            )
    raise refusal(block, f"the text column {block.column!r} reaches the estimator")


def _fills(block: Bins | Spline) -> bool:
    return any(step.kind == "impute" for step in block.steps)
