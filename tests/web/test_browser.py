"""The pages in a browser: nothing on the console, nothing against the policy, nothing to another host."""

import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.web.moment import HOSTILE, RUN
from tests.web.serving import served
from tests.web.trace_records import TRACE
from tests.web.world import PATHS, World, empty, full

playwright_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed: apt-get install chromium"),
]
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
COLLECT = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  violations.push(event.violatedDirective + " " + event.blockedURI));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(World(full())) as url:
        yield url


class Tab:
    """A page with what went wrong on it."""

    def __init__(self, browser: Any, url: str, *, width: int = 1280, theme: str = "light") -> None:
        self.url = url
        self.context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme)
        self.context.add_init_script(COLLECT)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", lambda said: said.type in {"error", "warning"} and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._requested)

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # left before it came
            self.wrong.append(f"failed: {request.url}")

    def _requested(self, request: Any) -> None:
        if urlsplit(request.url).netloc not in {urlsplit(self.url).netloc, ""}:
            self.wrong.append(f"elsewhere: {request.url}")

    def open(self, path: str) -> Any:
        self.page.goto(self.url + path, wait_until="load")
        self.page.evaluate("document.fonts.ready.then(() => true)")
        return self.page

    def said(self) -> list[str]:
        """Everything that went wrong since the last time."""
        found = [*self.wrong, *self.page.evaluate("window.violations")]
        self.wrong.clear()
        return found

    def close(self) -> list[str]:
        """Everything that went wrong."""
        found = self.said()
        self.context.close()
        return found


@pytest.fixture(scope="module")
def wide(browser: Any, address: str) -> Iterator[Tab]:
    """A tab that one page after another is opened in: the browser keeps what they share."""
    tab = Tab(browser, address)
    yield tab
    tab.context.close()


@pytest.fixture(scope="module")
def narrow(browser: Any, address: str) -> Iterator[Tab]:
    """The same, of a phone, at night."""
    tab = Tab(browser, address, width=390, theme="dark")
    yield tab
    tab.context.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_quiet_light_and_wide(wide: Tab, path: str) -> None:
    page = wide.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate("document.querySelectorAll('*').length") <= 3000
    assert wide.said() == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_quiet_dark_and_narrow(narrow: Tab, path: str) -> None:
    page = narrow.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 17, 21)"
    assert narrow.said() == []


@pytest.mark.parametrize("answers", [full(HOSTILE, HOSTILE), empty()], ids=["hostile", "empty"])
def test_hostile_and_empty_records_are_quiet_too(browser: Any, answers: Any) -> None:
    with served(World(answers)) as url:
        tab = Tab(browser, url)
        tab.page.on("dialog", lambda dialog: tab.wrong.append("a dialog opened") or dialog.dismiss())
        for path in PATHS:
            if not path.startswith("/lineage"):
                tab.open(path)
        assert tab.close() == []


def test_the_curve_and_the_heat_map_are_drawn(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/models/employment")
    page.wait_for_selector("air-curve canvas")
    drawn = page.evaluate(
        """[...document.querySelectorAll("air-curve canvas, air-heat canvas")].map((canvas) => {
          const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          return new Set(Array.from({length: data.length / 4}, (_, i) => data.slice(i * 4, i * 4 + 3).join())).size;
        })"""
    )
    assert all(colours > 5 for colours in drawn)
    assert "accuracy" in page.locator("air-curve").first.get_attribute("aria-label")
    assert tab.close() == []


def test_the_heat_map_can_be_read_by_keyboard(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/monitors/employment-inputs")
    page.locator("air-heat canvas").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("air-heat .read").inner_text().startswith("ANC in 2018-03: ")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"window=w-15"))
    assert tab.close() == []


def test_the_theme_is_kept_and_written_by_the_server(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/models/employment")
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    tab.open("/alerts")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert tab.close() == []


@pytest.mark.parametrize(
    ("printed", "ours"),
    [
        ("/#/experiments/1/runs/0191c0ffee7abc8d9e0f112233445566", "/runs/0191c0ffee7abc8d9e0f112233445566"),
        ("/#/experiments/1", "/experiments/1/runs"),
        ("/#/models/employment/versions/3", "/models/employment/versions/3"),
        ("/#/models/employment", "/models/employment"),
    ],
)
def test_the_addresses_that_the_mlflow_client_prints_lead_to_our_pages(
    browser: Any, address: str, printed: str, ours: str
) -> None:
    tab = Tab(browser, address)
    tab.page.goto(address + printed)
    tab.page.wait_for_url(address + ours)
    tab.context.close()


def test_a_live_topic_refreshes_the_page_without_losing_the_focus(browser: Any) -> None:
    world = World(full())
    with served(world) as url:
        tab = Tab(browser, url)
        page = tab.open("/")
        page.locator("#filter").focus()
        before = len(world.asked)
        with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
            page.evaluate("document.getElementById('live').dispatchEvent(new CustomEvent('live'))")
        page.wait_for_timeout(100)
        assert len(world.asked) > before
        assert page.evaluate("document.activeElement.id") == "filter"
        assert page.locator("h1").count() == 1
        assert tab.close() == []


def test_ticked_runs_stay_ticked_when_the_page_refreshes_and_are_compared(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/experiments/1/runs")
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(2).check()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        page.evaluate("document.getElementById('live').dispatchEvent(new CustomEvent('live'))")
    page.wait_for_timeout(100)
    assert [box.is_checked() for box in boxes.all()[:3]] == [True, False, True]
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(re.compile(r"/compare\?runs=[0-9a-f]+%2C[0-9a-f]+$"))
    page.get_by_role("link", name="Curves").click()
    page.wait_for_selector("air-curve canvas")
    assert tab.close() == []


def test_an_artifact_is_shown_as_a_table_or_in_a_sandbox_and_never_run(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    tab.page.on("dialog", lambda dialog: tab.wrong.append("a dialog opened") or dialog.dismiss())
    page = tab.open(f"/runs/{RUN}?tab=artifacts")
    page.get_by_role("button", name="a.html").click()
    page.frame_locator(".pane iframe").locator("body").wait_for(state="attached")
    assert page.locator(".pane iframe").get_attribute("sandbox") == ""
    page.get_by_role("button", name="t.csv").click()
    page.wait_for_selector(".pane table")
    assert page.locator(".pane th").all_inner_texts() == ["a", "b, c"]
    assert page.locator(".pane td").all_inner_texts() == ["1", "<b>2</b>"]
    refused = "Blocked script execution in"
    assert [said for said in tab.close() if refused not in said and "script-src" not in said] == []


def test_a_span_is_opened_in_its_place_and_the_address_follows(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open(f"/traces/{TRACE}")
    page.get_by_role("link", name="search").click()
    page.wait_for_url(re.compile("span=cccc"))
    page.locator("#span h2", has_text="search").wait_for()
    page.go_back()
    page.locator("#span h2", has_not_text="search").wait_for()
    assert tab.close() == []


def test_the_stream_says_that_it_is_live(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/alerts")
    page.wait_for_selector(".live-state[data-state=live]")
    assert tab.close() == []


def test_the_menu_opens_on_a_phone_and_leads_on(browser: Any, address: str) -> None:
    tab = Tab(browser, address, width=390)
    page = tab.open("/")
    assert not page.locator("#side").is_visible()
    page.locator(".opens-menu").click()
    page.locator("#side").get_by_text("Alerts").click()
    page.wait_for_url(address + "/alerts")
    assert not page.locator("#side").is_visible()
    assert tab.close() == []


def test_keys_lead_to_places_and_are_off_in_fields(browser: Any, address: str) -> None:
    tab = Tab(browser, address)
    page = tab.open("/")
    page.locator("#filter").fill("ga")
    assert page.url == address + "/"
    page.locator("h1").click()
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url(address + "/monitors")
    assert tab.close() == []


def test_a_page_works_without_scripts(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/")
    page.get_by_role("link", name="employment", exact=True).click()
    page.get_by_role("link", name="Versions").click()
    assert page.url == address + "/models/employment?tab=versions"
    assert page.get_by_role("link", name="v3").is_visible()
    context.close()


def test_an_alert_is_acknowledged_by_its_button(browser: Any) -> None:
    world = World(full())
    with served(world) as url:
        tab = Tab(browser, url)
        page = tab.open("/alerts/al-1")
        page.get_by_placeholder("Note").fill("looking at it")
        page.get_by_role("button", name="Acknowledge alert").click()
        page.wait_for_url(url + "/alerts/al-2")
        note = next(one.note for one in world.asked if type(one).__name__ == "AcknowledgeAlert")
        assert note == "looking at it"
        assert tab.close() == []
