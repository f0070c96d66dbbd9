"""Which address stands for which folder, and that nothing outside of the operator's roots is touched."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from airside.core.errors import Invalid, NotFound
from airside.store.artifacts.addresses import is_served, own_root
from airside.store.artifacts.local import LocalArtifacts
from airside.store.artifacts.port import ArtifactStore
from airside.store.artifacts.roots import Roots, local_folder


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """An allowed root, and a secret beside it."""
    (tmp_path / "root" / "r" / "artifacts").mkdir(parents=True)
    (tmp_path / "root" / "r" / "artifacts" / "a.txt").write_text("hello", "utf-8")
    (tmp_path / "secret.txt").write_text("canary", "utf-8")
    (tmp_path / "rootless").mkdir()
    (tmp_path / "rootless" / "x").write_text("canary", "utf-8")
    return tmp_path


def roots_of(world: Path, *allowed: str) -> Roots:
    def store_of(address: str) -> ArtifactStore:
        folder = local_folder(address)
        assert folder is not None
        return LocalArtifacts(folder, is_private=False, is_made=False)

    return Roots(LocalArtifacts(world / "proxied"), allowed or (str(world / "root"),), store_of)


def read(roots: Roots, uri: str, below: str = "a.txt") -> bytes:
    place = roots.at(uri, below)
    with place.store.open(place.path) as file:
        return b"".join(file.pieces())


FORMS: dict[str, Callable[[Path], str]] = {
    "a path": lambda world: f"{world}/root/r/artifacts",
    "a path with a slash": lambda world: f"{world}/root/r/artifacts/",
    "doubled slashes": lambda world: f"{world}//root//r/artifacts",
    "file with one slash": lambda world: f"file:{world}/root/r/artifacts",
    "file with three": lambda world: f"file://{world}/root/r/artifacts",
    "file of this host": lambda world: f"file://localhost{world}/root/r/artifacts",
    "encoded": lambda world: f"file://{quote(str(world))}/root/%72/artifacts",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_an_allowed_place_is_found(world: Path, form: Callable[[Path], str]) -> None:
    assert read(roots_of(world), form(world)) == b"hello"


OUTSIDE: dict[str, Callable[[Path], str]] = {
    "beside": str,
    "a name that begins alike": lambda world: f"{world}/rootless",
    "the disk": lambda _world: "/",
    "relative": lambda _world: "root/r/artifacts",
    "another host": lambda world: f"file://evil.example{world}/root/r",
    "a query": lambda world: f"file://{world}/root/r?x=1",
    "a fragment": lambda world: f"file://{world}/root/r#x",
    "s3": lambda _world: "s3://bucket/root",
    "gs": lambda _world: "gs://bucket/root",
    "http": lambda _world: "http://127.0.0.1/root",
    "upper case": lambda world: f"FILE://{str(world).upper()}/ROOT",
}


@pytest.mark.parametrize("form", OUTSIDE.values(), ids=OUTSIDE)
def test_what_lies_outside_is_refused_with_the_setting_that_would_allow_it(
    world: Path, form: Callable[[Path], str]
) -> None:
    with pytest.raises(Invalid, match="artifact_roots"):
        roots_of(world).at(form(world))


@pytest.mark.parametrize("way", ["..", "%2e%2e", "r/../..", "%252e%252e"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_no_way_leads_out_of_a_root(world: Path, way: str, scheme: str) -> None:
    roots = roots_of(world)
    with pytest.raises((Invalid, NotFound)):
        read(roots, f"{scheme}{world}/root/{way}", "secret.txt")


@pytest.mark.parametrize("target", ["..", "../secret.txt", "/etc"])
def test_a_link_below_a_root_is_not_followed(world: Path, target: str) -> None:
    (world / "root" / "link").symlink_to(target)
    roots = roots_of(world)
    for below in ("link", "link/secret.txt", "link/passwd"):
        with pytest.raises((NotFound, Invalid)):
            read(roots, f"{world}/root", below)
    place = roots.at(f"{world}/root", "link/x")
    with pytest.raises(Invalid):
        place.store.write(place.path, [b"x"])
    assert not (world / "x").exists()


def test_a_folder_that_becomes_a_link_while_it_is_deleted_is_not_followed(world: Path) -> None:
    roots = roots_of(world)
    (world / "root" / "d").symlink_to(world / "rootless")
    place = roots.at(f"{world}/root", "d")
    place.store.delete(place.path)
    assert not (world / "root" / "d").is_symlink()
    assert (world / "rootless" / "x").read_text("utf-8") == "canary"


def test_a_root_may_itself_be_a_link_of_the_operators(world: Path) -> None:
    (world / "mount").symlink_to(world / "root")
    roots = roots_of(world, str(world / "mount"))
    assert read(roots, f"{world}/mount/r/artifacts") == b"hello"
    assert read(roots, f"{world}/root/r/artifacts") == b"hello"


def test_a_root_that_is_not_there_yet_is_empty_and_is_made_with_the_first_file(world: Path) -> None:
    roots = roots_of(world, f"file://{world}/new")
    place = roots.at(f"file://{world}/new/1", "a")
    assert place.store.list("1") == ()
    assert not (world / "new").exists()
    place.store.write(place.path, [b"x"])
    assert (world / "new/1/a").read_bytes() == b"x"


def test_proxied_addresses_go_to_the_servers_own_store(world: Path) -> None:
    assert roots_of(world).at("mlflow-artifacts:/3/R", "a").path == "3/R/a"
    with pytest.raises(Invalid):
        roots_of(world).at("mlflow-artifacts://evil.example/3/R")


@pytest.mark.parametrize(
    ("address", "uri", "path"),
    [
        ("http://h:1/p/api/2.0/mlflow-artifacts/artifacts", "/3/r/artifacts", "3/r/artifacts/a.txt"),
        ("http://h:1/api/2.0/mlflow-artifacts/artifacts/team", "/team/3/r", "team/3/r/a.txt"),
        ("mlflow-artifacts://h:1/", "/3/r", "3/r/a.txt"),
    ],
)
def test_a_root_that_names_the_server_is_its_own_store(world: Path, address: str, uri: str, path: str) -> None:
    own = own_root(address)
    proxied = LocalArtifacts(world / "proxied")
    roots = Roots(proxied, (own,), lambda _: proxied)
    assert roots.at(own + uri, "a.txt") == (proxied, path)
    for other in (own.replace("h:1", "h:2"), own.replace("://h:1", "://evil/h:1")):
        with pytest.raises(Invalid, match="which clients read and write themselves"):
            roots.at(other + uri)


@pytest.mark.parametrize(
    "path", ["/api//2.0/mlflow-artifacts/artifacts/3/r", "/api/./2.0/mlflow-artifacts/./artifacts/3/r"]
)
def test_what_is_opened_below_the_servers_own_root_counts_as_served(world: Path, path: str) -> None:
    own = "http://h:1/api/2.0/mlflow-artifacts/artifacts"
    proxied = LocalArtifacts(world / "proxied")
    assert Roots(proxied, (own,), lambda _: proxied).at(f"http://h:1{path}").path == "3/r"
    assert is_served(urlsplit(f"http://h:1{path}"))
