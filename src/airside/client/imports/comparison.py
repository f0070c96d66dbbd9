"""Behind an import: everything of the source compared with what is here now."""

from collections.abc import Sequence
from typing import Any

import msgspec

from airside.client.imports.files import patiently
from airside.client.imports.job import Job, Telling
from airside.client.imports.mlflow import experiments
from airside.client.imports.parts.port import Part
from airside.core.ids import ExperimentId
from airside.tracking.imports.comparing import CompareImport
from airside.tracking.imports.journal import GetImport
from airside.tracking.imports.records import Compared, ImportCount
from airside.tracking.records import Experiment


def of_everything(job: Job, parts: Sequence[Part], telling: Telling) -> tuple[list[ImportCount], list[str]]:
    """How many of each kind are here as they are there, and every difference in words."""
    telling.begin("comparing", sum(part.total(job) for part in parts) + experiments.count(job.tables))
    counts, differences = [], []
    for count, found in (_of_experiments(job, telling), *(_of_part(job, part, telling) for part in parts)):
        counts.append(count)
        differences += found
    return counts, differences


def _of_experiments(job: Job, telling: Telling) -> tuple[ImportCount, list[str]]:
    total = same = skipped = 0
    differences: list[str] = []
    for _, items in experiments.read(job.tables):
        here = [_here(job, each) for each in items]
        found = patiently(lambda: job.client.call(CompareImport(experiments=tuple(here))))  # noqa: B023 -- at once
        known = {job.experiment(each) for each in job.merged}
        skipped += sum(each.id in known for each in found.differing)
        differences += _told("experiment", found, known)
        total += len(items)
        same += found.same
        telling.advance("comparing", len(items))
    return ImportCount(kind="experiments", source=total, here=same, skipped=skipped), differences


def _of_part(job: Job, part: Part, telling: Telling) -> tuple[ImportCount, list[str]]:
    total, same = part.total(job), 0
    every = max(1, total // job.options.samples) if job.options.samples else 0
    differences: list[str] = []
    left = 0
    seen = 0
    allowed = _skipped(job, part)
    for _, items in part.read(job, ""):
        found = patiently(lambda: job.client.call(part.compare(items)))  # noqa: B023 -- at once
        other = {each.id for each in found.differing}
        absent = {*found.missing, *other}
        equal = [item for item in items if part.id_of(item) not in absent]
        if allowed and len(other) + left <= allowed:
            left += len(other)
            found = Compared(same=found.same, missing=found.missing)
        differences += _told(part.name.removesuffix("s"), found, set())
        differences += part.amounts(job, equal) if equal else ()
        for item in equal:
            if every and seen % every == 0:
                differences += part.sampled(job, item)
            seen += 1
        same += found.same
        telling.advance("comparing", len(items))
    if seen + left + len(differences) < total:
        differences.append(f"{part.name}: the source has {total}, but only {seen + left} could be read")
    return ImportCount(kind=part.name, source=total, here=same, skipped=left), differences


def _skipped(job: Job, part: Part) -> int:
    """How many of a part were left alone."""
    known = patiently(lambda: job.client.call(GetImport(import_id=job.import_id)))
    return next((each.skipped for each in known.parts if each.part == part.name), 0)


def _told(kind: str, found: Compared, known: set[Any]) -> list[str]:
    missing = [f"{kind} {each} is not here" for each in found.missing]
    return [*missing, *(f"{kind} {each.id}: {each.what}" for each in found.differing if each.id not in known)]


def _here(job: Job, given: Experiment) -> Experiment:
    placed = ExperimentId(job.experiment(given.experiment_id))
    return msgspec.structs.replace(job.locations.experiment(given), experiment_id=placed)
