"""Characters that end a line or steer a terminal, as the escapes that people can read."""

ESCAPED = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
_STEERING = {code: text for code, text in ESCAPED.items() if chr(code) not in "\t\n"}


def harmless(text: str) -> str:
    r"""A text of strangers as a terminal may show it: nothing in it steers, and lines stay lines.

    >>> harmless("churn\x1b[2J\nmodel")
    'churn\\x1b[2J\nmodel'
    """
    return text.translate(_STEERING)
