"""Lints of the templates: what the policy would refuse, and what strangers could use."""

import re
from collections import Counter
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from airside.server.web.markdown import markdown
from airside.server.web.routes import find
from airside.server.web.shell import NAVIGATION
from airside.server.web.templating import environment, script_json


def texts(folder: Traversable) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found.update(texts(entry))
        else:
            found[entry.name] = entry.read_text("utf-8")
    return found


TEMPLATES = texts(files("airside.server.web") / "templates")
FORBIDDEN = {
    "style attribute": r"\sstyle\s*=",
    "event attribute": r"\son[a-z]+=",
    "script of htmx": r"hx-on|\bjs:|javascript:",
    "inline style": r"<style",
    "trusted text": r"\|\s*safe\b|Markup\(|autoescape",
    "other host": r"https?://|//[a-z]+\.[a-z]",
}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_a_template_holds_nothing_forbidden(name: str, what: str) -> None:
    assert re.search(FORBIDDEN[what], TEMPLATES[name]) is None


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_inline_script_is_data(name: str) -> None:
    for tag in re.findall(r"<script[^>]*>", TEMPLATES[name]):
        assert "src=" in tag or 'type="application/json"' in tag


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_trigger_of_htmx_holds_nothing_of_strangers(name: str) -> None:
    for trigger in re.findall(r'hx-trigger="([^"]*)"', TEMPLATES[name]):
        assert "{{" not in trigger


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_what_markdown_made_is_not_processed_by_htmx(name: str) -> None:
    uses = re.findall(r"<div class=\"prose\"[^>]*>\{\{[^}]*markdown", TEMPLATES[name])
    assert len(uses) == len(re.findall(r"\|\s*markdown", TEMPLATES[name]))
    assert all("hx-ignore" in use for use in uses)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_form_that_changes_something_is_a_post(name: str) -> None:
    for form in re.findall(r"<form[^>]*>", TEMPLATES[name]):
        assert 'method="post"' in form or 'role="search"' in form


def test_every_template_compiles_and_escapes() -> None:
    made = environment()
    assert made.autoescape is True
    for name in made.list_templates():
        made.get_template(name)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (files("airside.server.web") / "static/vendor/icons.svg").read_text("utf-8")
    named = {icon for text in TEMPLATES.values() for icon in re.findall(r'ui\.icon\("([a-z0-9-]+)"', text)}
    assert {icon for icon in named if f'id="{icon}"' not in sprite} == set()


def test_every_entry_of_the_side_bar_leads_to_a_page_and_none_is_twice() -> None:
    places = [place for group in NAVIGATION for place in group.places]
    assert all(find("GET", place.href) for place in places)
    assert max(Counter(place.name for place in places).values()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](http://elsewhere/x.png)",
        "<a href='data:text/html,x' hx-get='/x' style='x'>x</a>",
        "[x](vbscript:x) <svg onload=x>",
    ],
)
def test_markdown_lets_no_markup_of_strangers_through(text: str) -> None:
    made = str(markdown(text))
    assert not re.search(r"<(?!/?(p|a|em|strong|code)\b)", made)
    for link in re.findall(r"<a [^>]*>", made):
        assert re.search(r'href="(https?|mailto):', link)


def test_markdown_links_tell_nobody_where_the_reader_came_from() -> None:
    assert 'rel="noopener nofollow"' in markdown("[x](https://example.org)")


def test_data_in_a_page_cannot_end_its_script() -> None:
    made = str(script_json({"x": "</script><!--\u2028&"}))
    assert "<" not in made
    assert "&" not in made
    assert "\u2028" not in made
