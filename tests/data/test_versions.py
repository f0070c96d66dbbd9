"""Versions of datasets: numbered, by content, never twice."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.column import Column
from airside.core.errors import AlreadyExists, Conflict, Invalid, NotFound
from airside.core.ids import BlobId, DatasetName
from airside.core.operation import LOCAL
from airside.data.manifest import digest_of
from airside.data.operations.datasets import (
    CreateDataset,
    DeleteDataset,
    GetDataset,
    SearchDatasets,
    UpdateDataset,
)
from airside.data.operations.versions import (
    CommitDatasetVersion,
    DiffDatasetVersions,
    GetDatasetVersion,
    ListDatasetVersions,
    VerifyDatasetVersion,
)
from airside.data.records import ColumnSummary, DatasetFile, DatasetVersion, LevelCount
from airside.platform.wiring import Platform

PEOPLE = DatasetName("people")


def uploaded(platform: Platform, content: bytes, path: str = "a.csv") -> DatasetFile:
    return DatasetFile(path=path, size_bytes=len(content), digest=platform.blobs.put([content]))


def committed(platform: Platform, content: bytes, **more: object) -> DatasetVersion:
    ask = CommitDatasetVersion(name=PEOPLE, files=(uploaded(platform, content),), rows=1)
    return platform.call(LOCAL, msgspec.structs.replace(ask, **more))


@pytest.fixture
def people(platform: Platform) -> Platform:
    platform.call(LOCAL, CreateDataset(name=PEOPLE, description="who lives here"))
    return platform


def test_versions_are_numbered_without_gaps_and_found_by_id_and_number(people: Platform) -> None:
    made = [committed(people, content) for content in (b"1", b"2", b"3")]
    assert [version.version for version in made] == [1, 2, 3]
    assert people.call(LOCAL, GetDatasetVersion(id=made[1].id)) == made[1]
    assert people.call(LOCAL, GetDatasetVersion(name=PEOPLE, version=1)) == made[0]
    assert people.call(LOCAL, GetDatasetVersion(name=PEOPLE)) == made[2]
    assert people.call(LOCAL, GetDataset(name=PEOPLE)).newest == 3


def test_the_same_content_as_the_newest_version_is_that_version(people: Platform) -> None:
    first = committed(people, b"1")
    assert committed(people, b"1", note="again") == first
    committed(people, b"2")
    assert committed(people, b"1").version == 3


def test_a_new_version_is_announced_once(people: Platform) -> None:
    made = committed(people, b"1")
    committed(people, b"1")
    rows = people.read(lambda ctx: ctx.tx.all("SELECT body FROM event WHERE name = ?", ("DatasetVersionAdded",)))
    assert [msgspec.json.decode(row[0])["id"] for row in rows] == [made.id]


def test_a_file_that_was_not_uploaded_in_its_size_is_refused(people: Platform) -> None:
    there = uploaded(people, b"1")
    gone = DatasetFile(path="b", size_bytes=1, digest=BlobId("b3:" + "0" * 64))
    longer = DatasetFile(path="c", size_bytes=2, digest=there.digest)
    for file in (gone, longer):
        with pytest.raises(Invalid, match="1 of 2 files are not in the store"):
            people.call(LOCAL, CommitDatasetVersion(name=PEOPLE, files=(there, file), rows=1))
    assert people.call(LOCAL, GetDataset(name=PEOPLE)).newest == 0


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a//b", "a\\b", "./a", "a/", "a\nb"])
def test_a_path_that_leaves_the_version_is_refused(people: Platform, path: str) -> None:
    file = uploaded(people, b"1", path)
    with pytest.raises(Invalid, match="relative path"):
        people.call(LOCAL, CommitDatasetVersion(name=PEOPLE, files=(file,), rows=1))


def test_a_path_that_stands_twice_and_an_empty_manifest_are_refused(people: Platform) -> None:
    file = uploaded(people, b"1")
    with pytest.raises(Invalid, match="twice"):
        people.call(LOCAL, CommitDatasetVersion(name=PEOPLE, files=(file, file), rows=1))
    with pytest.raises(Invalid, match="no file"):
        people.call(LOCAL, CommitDatasetVersion(name=PEOPLE, files=(), rows=1))


def test_versions_are_listed_newest_first_page_by_page(people: Platform) -> None:
    for content in (b"1", b"2", b"3"):
        committed(people, content)
    page = people.call(LOCAL, ListDatasetVersions(name=PEOPLE, max_results=2))
    assert [one.version for one in page.items] == [3, 2]
    rest = people.call(LOCAL, ListDatasetVersions(name=PEOPLE, max_results=2, page_token=page.next_page_token))
    assert ([one.version for one in rest.items], rest.next_page_token) == ([1], "")
    with pytest.raises(Invalid, match="page_token"):
        people.call(LOCAL, ListDatasetVersions(name=PEOPLE, page_token="x"))


def test_a_version_that_is_not_there_is_named_with_the_newest(people: Platform) -> None:
    with pytest.raises(NotFound, match=r"'people@latest'. It has no version yet"):
        people.call(LOCAL, GetDatasetVersion(name=PEOPLE))
    committed(people, b"1")
    with pytest.raises(NotFound, match=r"No dataset version 'people@7'. The newest is 'people@1'"):
        people.call(LOCAL, GetDatasetVersion(name=PEOPLE, version=7))
    with pytest.raises(Invalid, match="which version"):
        people.call(LOCAL, GetDatasetVersion())


def test_a_diff_tells_schema_files_rows_and_statistics(people: Platform) -> None:
    old = Column(name="age", type="integer", minimum=16, maximum=94)
    new = Column(name="age", type="integer", minimum=16, maximum=95)
    sex = Column(name="sex", type="string", categorical=True, levels=("f", "m"))
    left = ColumnSummary(name="sex", rows=4, top=(LevelCount(level="f", rows=2), LevelCount(level="m", rows=2)))
    right = ColumnSummary(name="sex", rows=4, missing=1, top=(LevelCount(level="f", rows=3),))
    committed(people, b"1", columns=(old, sex), summaries=(left,), rows=4)
    committed(people, b"22", columns=(new,), summaries=(right,), rows=5)
    diff = people.call(LOCAL, DiffDatasetVersions(name=PEOPLE))
    assert [(one.column, one.change, one.before, one.after) for one in diff.schema] == [
        ("age", "range", "16 … 94", "16 … 95"),
        ("sex", "removed", "string", ""),
    ]
    assert (diff.before, diff.after, diff.rows_before, diff.rows_after, diff.is_same) == (1, 2, 4, 5, False)
    assert [(one.path, one.change, one.size_bytes_after) for one in diff.files] == [("a.csv", "changed", 2)]
    assert (diff.statistics[0].missing_share_change, diff.statistics[0].distance) == (0.25, 0.5)
    with pytest.raises(NotFound, match="first version"):
        people.call(LOCAL, DiffDatasetVersions(name=PEOPLE, after=1))


def test_every_byte_of_a_version_can_be_checked(people: Platform) -> None:
    version = committed(people, b"1", files=(uploaded(people, b"11"), uploaded(people, b"22", "b")))
    good = people.call(LOCAL, VerifyDatasetVersion(name=PEOPLE))
    assert (good.version, good.files, good.size_bytes, good.damaged, good.missing) == (1, 2, 4, (), ())
    people.blobs.delete(version.files[0].digest)
    assert people.call(LOCAL, VerifyDatasetVersion(name=PEOPLE)).missing == ("a.csv",)
    digest = version.files[1].digest.removeprefix("b3:")
    [blob] = [one for one in people.home.rglob("*") if one.is_file() and "".join(one.parts).endswith(digest)]
    blob.chmod(0o600)
    blob.write_bytes(b"23")
    assert people.call(LOCAL, VerifyDatasetVersion(name=PEOPLE, version=1)).damaged == ("b",)
    with pytest.raises(NotFound):
        people.call(LOCAL, VerifyDatasetVersion(name=PEOPLE, version=2))


def test_datasets_are_found_by_a_part_of_their_name(platform: Platform) -> None:
    for name in ("people", "People_2", "x%y".replace("%", "-"), "other"):
        platform.call(LOCAL, CreateDataset(name=DatasetName(name)))
    found = platform.call(LOCAL, SearchDatasets(text="PEOPLE"))
    assert sorted(one.name for one in found.items) == ["People_2", "people"]
    assert [one.name for one in platform.call(LOCAL, SearchDatasets(text="e_")).items] == ["People_2"]
    assert platform.call(LOCAL, SearchDatasets(text="%")).items == ()
    page = platform.call(LOCAL, SearchDatasets(max_results=3))
    rest = platform.call(LOCAL, SearchDatasets(max_results=3, page_token=page.next_page_token))
    assert len({one.name for one in itertools.chain(page.items, rest.items)}) == 4


def test_words_about_a_dataset_change_and_its_versions_keep_it(people: Platform) -> None:
    people.call(LOCAL, UpdateDataset(name=PEOPLE, owner="ana"))
    found = people.call(LOCAL, GetDataset(name=PEOPLE))
    assert (found.owner, found.description) == ("ana", "who lives here")
    with pytest.raises(AlreadyExists):
        people.call(LOCAL, CreateDataset(name=PEOPLE))
    committed(people, b"1")
    with pytest.raises(Conflict, match="cannot be deleted"):
        people.call(LOCAL, DeleteDataset(name=PEOPLE))


def test_a_dataset_without_versions_can_be_forgotten(people: Platform) -> None:
    people.call(LOCAL, DeleteDataset(name=PEOPLE))
    with pytest.raises(NotFound, match="No dataset 'people'"):
        people.call(LOCAL, GetDataset(name=PEOPLE))


@pytest.mark.parametrize("name", ["", "a b", "../x", "-a", "a" * 201, "é"])
def test_a_name_that_is_none_is_refused(platform: Platform, name: str) -> None:
    with pytest.raises(Invalid, match="cannot name a dataset"):
        platform.call(LOCAL, CreateDataset(name=DatasetName(name)))


FILES = st.lists(
    st.builds(
        DatasetFile,
        path=st.text("ab/é", min_size=1, max_size=6),
        size_bytes=st.integers(0, 9),
        digest=st.sampled_from([BlobId("b3:" + digit * 64) for digit in "01"]),
    ),
    max_size=6,
    unique_by=lambda file: file.path,
)


@settings(max_examples=50, deadline=None)
@given(FILES, st.randoms())
def test_the_digest_depends_on_the_files_and_not_on_their_order(files: list[DatasetFile], random: object) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert digest_of(shuffled) == digest_of(files)
    assert all(digest_of(files[:index]) != digest_of(files) for index in range(len(files)))
