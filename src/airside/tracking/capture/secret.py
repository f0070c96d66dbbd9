"""What looks like a secret is taken out of texts before they leave the process. Pure."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import urlsplit, urlunsplit

HIDDEN = "***"
_NAME = (
    r"(?:[\w.-]*(?:passwd|password|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
    r"|auth[_-]?key|signature|sas[_-]?key)s?|pwd|auth|authorization)"
)
_FLAG = re.compile(rf"-{{1,2}}{_NAME}\Z", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(?P<name>(?:-{{1,2}})?[\"']?{_NAME}[\"']?)(?P<is>\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)",
    re.IGNORECASE,
)
_URL = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)(?P<who>[^\s/@'\"]+)@")
_TOKENS = re.compile(
    r"""(?x)\b(?:
      (?:AKIA|ASIA)[0-9A-Z]{16}                         # Amazon
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,}   # GitHub
    | glpat-[\w-]{16,}                                  # GitLab
    | hf_[A-Za-z0-9]{20,}                               # Hugging Face
    | sk-[\w-]{20,}                                     # OpenAI, Anthropic and others
    | xox[abposr]-[\w-]{10,}                            # Slack
    | AIza[\w-]{30,}                                    # Google
    | eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*                   # a JSON web token
    | dapi[0-9a-f]{32}                                  # Databricks
    )"""
)
_BEARER = re.compile(r"\b(?P<kind>Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)

SECRET_FILES = (
    ".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass", ".htpasswd",
    ".git-credentials",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*",
    "id_ed25519*", "*credentials*.json", "*service_account*.json", "*service-account*.json", "client_secret*.json",
    "secrets.*", "*.secret", "*.secrets", "*.tfstate", "*.tfvars", "kubeconfig", "terraform.tfvars",
)  # fmt: skip
SECRET_FOLDERS = frozenset({".aws", ".ssh", ".gnupg", ".kube", ".azure", ".gcloud", ".docker", ".secrets"})
ALLOWED_FILES = (".env.example", ".env.sample", ".env.template")


def redacted(text: str) -> str:
    """A text with what looks like a secret replaced.

    >>> redacted("POST https://me:pw@host/x api_key=abc Authorization: Bearer abcdefghijk")
    'POST https://***@host/x api_key=*** Authorization: ***'
    >>> redacted("token ghp_abcdefghijklmnopqrstuvwxyz0123")
    'token ***'
    """
    text = _BEARER.sub(HIDDEN, text)
    text = _URL.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _ASSIGNED.sub(rf"\g<name>\g<is>{HIDDEN}", text)
    return _TOKENS.sub(HIDDEN, text)


def redacted_arguments(arguments: Iterable[str]) -> tuple[str, ...]:
    """A command line with secrets replaced; the word after `--password` too.

    >>> redacted_arguments(["train.py", "--lr", "0.1", "--api-key", "abc", "--token=xyz", "--max-tokens", "100"])
    ('train.py', '--lr', '0.1', '--api-key', '***', '--token=***', '--max-tokens', '100')
    """
    shown = []
    is_secret = False
    for word in arguments:
        if is_secret and not word.startswith("--"):
            shown.append(HIDDEN)
            is_secret = False
            continue
        is_secret = _FLAG.match(word) is not None and not _counts(word)
        shown.append(word if _counts(word.partition("=")[0]) else redacted(word))
    return tuple(shown)


def _counts(flag: str) -> bool:
    """Whether a flag is about how many tokens, not about which.

    >>> _counts("--max-new-tokens"), _counts("--num_tokens"), _counts("--token")
    (True, True, False)
    """
    return (
        re.match(r"-{1,2}(?:[\w-]*[_-])?(?:max|min|num|n|total|per|new)[\w-]*tokens?\Z", flag, re.IGNORECASE)
        is not None
    )


def without_credentials(remote: str) -> str:
    """The address of a repository without user, password and query.

    >>> without_credentials("https://me:tok@github.com/a/b.git"), without_credentials("git@github.com:a/b.git")
    ('https://github.com/a/b.git', 'git@github.com:a/b.git')
    >>> without_credentials("ssh://git@host:22/a/b.git?token=x")
    'ssh://git@host:22/a/b.git'
    """
    if "://" not in remote:
        return redacted(remote)
    parts = urlsplit(remote)
    who, _, where = parts.netloc.rpartition("@")
    kept = f"{who}@{where}" if parts.scheme in {"ssh", "git+ssh"} and who and ":" not in who else where
    return _TOKENS.sub(HIDDEN, urlunsplit((parts.scheme, kept, parts.path, "", "")))


def is_secret_file(path: str) -> bool:
    """Whether a file is one that people keep secrets in.

    >>> [is_secret_file(p) for p in (".env", "conf/.env.local", ".env.example", "a/id_rsa", ".aws/config", "env.py")]
    [True, True, False, True, True, False]
    """
    place = PurePosixPath(path)
    if SECRET_FOLDERS & set(place.parts[:-1]):
        return True
    name = PurePosixPath(place.name.lower())
    if name.name in ALLOWED_FILES:
        return False
    return any(name.match(pattern) for pattern in SECRET_FILES)
