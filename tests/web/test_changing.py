"""What a reader does on the pages of runs: complete a filter, choose columns, see a part of a curve, open a form."""

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.moment import RUN
from tests.web.serving import served
from tests.web.test_browser import ARGUMENTS, Tab
from tests.web.world import World, full

playwright_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def world() -> World:
    return World(full())


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    with served(world) as url:
        yield url


def test_a_filter_is_completed_by_keyboard(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/experiments/1/runs")
    page.locator("#filter").press_sequentially("metrics.a")
    page.locator(".offered li", has_text="metrics.auc").wait_for()
    page.keyboard.press("ArrowDown")
    assert page.locator("#filter").get_attribute("aria-activedescendant") == "filter-offered-0"
    page.keyboard.press("Enter")
    page.locator(".offered li", has_text=">=").wait_for()
    assert page.locator("#filter").input_value() == "metrics.auc "
    assert tab.close() == []


def test_columns_are_ticked_in_place_and_stand_in_the_address(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/experiments/1/runs?order=attributes.start_time+DESC")
    page.locator("details.columns summary").click()
    page.locator("#find-column").fill("max")
    page.get_by_label("max depth").nth(1).check()
    page.get_by_role("button", name="Show these").click()
    page.wait_for_url(re.compile(r"cols="))
    assert "params.max+depth" in page.url
    assert "order=attributes.start_time" in page.url
    assert page.get_by_role("columnheader", name="max depth").is_visible()
    assert tab.close() == []


def test_a_part_of_a_curve_is_asked_for_more_closely_and_stands_in_the_address(
    browser: Any, address: str, world: World
) -> None:
    tab = Tab(browser, address)
    page = tab.open(f"/runs/{RUN}?tab=metrics")
    over = page.locator("air-curve .u-over").first
    box = over.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 50, steps=3)
    with page.expect_response(re.compile(r"curve\.json.*x0=")):
        page.mouse.up()
    page.wait_for_url(re.compile(r"x0=\d"))
    page.get_by_role("button", name="Whole range").click()
    page.wait_for_url(lambda url: "x0=" not in url)
    assert any(type(one).__name__ == "GetCurves" and one.start for one in world.asked)
    assert tab.close() == []


def test_a_form_behind_a_button_opens_closes_and_changes_the_run(browser: Any, address: str, world: World) -> None:
    tab = Tab(browser, address, width=390)
    page = tab.open(f"/runs/{RUN}")
    page.locator("summary", has_text="Rename").click()
    page.keyboard.press("Escape")
    assert not page.get_by_label("New name").is_visible()
    page.locator("summary", has_text="Rename").click()
    page.get_by_label("New name").fill("better")
    page.get_by_role("button", name="Rename run").click()
    page.wait_for_url(f"{address}/runs/{RUN}")
    assert next(one for one in world.asked if type(one).__name__ == "UpdateRun").name == "better"
    assert tab.close() == []
