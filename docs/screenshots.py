"""Take the pictures of the README from a running demo: `python docs/screenshots.py [http://127.0.0.1:5000]`.

Start the demo first (`make demo`); the newest records of each kind are found through the pages' own JSON twins.
Look at the pictures before you commit them.
"""

import argparse
import json
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def data(url: str, path: str) -> Any:
    """What the JSON twin of a page answers."""
    with urllib.request.urlopen(f"{url}{path}", timeout=30) as answer:
        return json.load(answer)


def pictures(url: str) -> list[tuple[str, str, int, str]]:
    """Name, path, width and theme of each picture; what the demo has not made yet is left out."""
    rows = data(url, "/models.json")["items"]
    if not rows:
        sys.exit(f"{url} has no model yet. Run the demo there first: airside demo")
    model = max(rows, key=lambda row: row["newest"])
    name, newest = model["name"], model["newest"]
    found = [
        ("catalog", "/", 1440, "light"),
        ("catalog-dark", "/", 1440, "dark"),
        ("catalog-phone", "/", 390, "light"),
        ("model", f"/models/{name}", 1440, "light"),
        ("model-dark", f"/models/{name}", 1440, "dark"),
        ("versions", f"/models/{name}?tab=versions", 1440, "light"),
        ("version", f"/models/{name}/versions/{newest}", 1440, "light"),
        ("lineage", f"/models/{name}?tab=lineage", 1440, "light"),
        ("card", f"/models/{name}?tab=card", 1440, "light"),
    ]
    firsts = (
        ("monitor", "/monitors.json", "/monitors/{}", "name"),
        ("endpoint", "/endpoints.json", "/endpoints/{}", "name"),
        ("alert", "/alerts.json?state=all", "/alerts/{}", "alert_id"),
        ("dataset", "/datasets.json", "/datasets/{}", "name"),
    )
    for picture, twin, page, key in firsts:
        items = data(url, twin)["items"]
        if items:
            found.append((picture, page.format(items[0][key]), 1440, "light"))
    return [*found, *_runs(url), *_rollouts(url), *_experiments(url)]


def _experiments(url: str) -> list[tuple[str, str, int, str]]:
    """The comparison of the best-filled experiment's newest runs, and a trace where there is one."""
    found: list[tuple[str, str, int, str]] = []
    experiments = data(url, "/experiments.json")["items"]
    tables = [data(url, f"/experiments/{one['experiment_id']}/runs.json")["runs"]["items"] for one in experiments]
    runs = max(tables, key=len, default=[])
    if len(runs) > 1:
        chosen = ",".join(run["info"]["run_id"] for run in runs[:4])
        experiment = runs[0]["info"]["experiment_id"]
        found += [
            ("experiment", f"/experiments/{experiment}/runs", 1440, "light"),
            ("parallel", f"/experiments/{experiment}/runs?view=parallel&size=200", 1440, "light"),
            ("compare", f"/compare?runs={chosen}", 1440, "light"),
        ]
    for one in experiments:
        traces = data(url, f"/experiments/{one['experiment_id']}/traces.json")["items"]
        if traces:
            return [*found, ("trace", f"/traces/{traces[0]['trace_id']}", 1440, "light")]
    return found


def _runs(url: str) -> list[tuple[str, str, int, str]]:
    runs = [
        run
        for row in data(url, "/pipelines.json")["items"]
        for run in data(url, f"/pipelines/{row['pipeline']['name']}.json")["runs"]["items"]
    ]
    newest = max(runs, key=lambda run: run["created_at"], default=None)
    return [("pipeline-run", f"/pipeline-runs/{newest['id']}", 1440, "light")] if newest else []


def _rollouts(url: str) -> list[tuple[str, str, int, str]]:
    for endpoint in data(url, "/endpoints.json")["items"]:
        rollouts = data(url, f"/endpoints/{endpoint['name']}.json")["rollouts"]["items"]
        if rollouts:
            return [("rollout", f"/rollouts/{rollouts[0]['id']}", 1440, "light")]
    return []


def take(browser: Browser, url: str, picture: tuple[str, str, int, str], folder: Path) -> None:
    """One picture, at twice the density, when its font and its drawings are there."""
    name, path, width, theme = picture
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, device_scale_factor=2, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(url + path, wait_until="load")
    page.reload(wait_until="load")  # the font is optional on a first visit; on the second it is there
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(500)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    context.close()


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:5000")
    parser.add_argument("--into", type=Path, default=PICTURES)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or sys.exit("Chromium is not installed: apt-get install chromium")
    asked.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for picture in pictures(asked.url.rstrip("/")):
            take(browser, asked.url.rstrip("/"), picture, asked.into)
            print(asked.into / f"{picture[0]}.png")
        browser.close()


if __name__ == "__main__":
    main()
