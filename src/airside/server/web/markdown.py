"""Markdown of strangers as HTML: CommonMark without raw HTML, then an allow-list."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

MAX_CHARACTERS = 65_536

TAGS = {
    *("p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""No images: a picture from elsewhere would tell its host who reads the page, and the policy refuses it."""


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=256)
def markdown(text: str) -> Markup:
    r"""The text as safe HTML; beyond 64 KiB it is cut, and says so.

    >>> markdown("**7** <script>x</script> [go](javascript:x)")
    Markup('<p><strong>7</strong> &lt;script&gt;x&lt;/script&gt; [go](javascript:x)</p>\n')
    """
    shown = text[:MAX_CHARACTERS] + ("\n\n… cut: the text is longer than 64 KiB." if len(text) > MAX_CHARACTERS else "")
    clean = nh3.clean(
        _reader().render(shown),
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
    )
    return Markup(clean)  # noqa: S704 -- the output of the sanitiser, the one place where HTML is trusted
