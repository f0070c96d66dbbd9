"""The one password that the operator gives: that of `admin`, in `MLFLOW_AUTH_ADMIN_PASSWORD`.

`MLFLOW_AUTH_ADMIN_USERNAME` gives the administrator another name.

MLflow's clients send it with every request (`MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`). It stays in the
environment of this process and is stored nowhere; what is sent is compared by its keyed digest in constant time.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping

from airside.core.errors import Overloaded, Unauthenticated, WrongUse
from airside.core.operation import Actor
from airside.platform.access.tries import MAX_KEPT, Tries

USER, USER_VARIABLE = "admin", "MLFLOW_AUTH_ADMIN_USERNAME"
VARIABLE = "MLFLOW_AUTH_ADMIN_PASSWORD"
LEAST_LENGTH, MOST_BYTES, MOST_NAME = 12, 1024, 100
COMMON = frozenset(
    {
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "administrator",
        "adminadminadmin",
        "123456789012",
        "1234567890123",
        "1234567890123456",
        "qwertyuiop12",
        "qwertyuiopasdf",
        "letmeinletmein",
        "changemechangeme",
        "mlflowmlflow",
    }
)
FREE_TRIES = 5
LONGEST_PAUSE_S = 60.0


class TooManyTries(Overloaded):
    """Too many wrong passwords. Wait before the next try."""

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = max(1, round(wait_s))  # type: ignore[misc]  # of this one, not of its class
        super().__init__(f"Too many wrong passwords from this address. Try again in {self.retry_after_s} s.")


class AdminLogin:
    """Knows the administrator's password, and slows down whoever guesses it.

    Args:
        password: the right one.
        user: whose it is.
        now: the time in seconds.

    Attributes:
        user: the administrator's name.
        tries: wrong passwords by address; whoever owns the store keeps them there too.
    """

    def __init__(self, password: str, *, user: str = USER, now: Callable[[], float] = time.time) -> None:
        self.user = user
        self._key = secrets.token_bytes(32)
        self._digest = self._digest_of(password)
        self._now = now
        self.tries: dict[str, Tries] = {}

    def actor(self, user: str, password: str, source: str) -> Actor:
        """Who signs in.

        Args:
            user: the name, as it was sent.
            password: as it was sent.
            source: the address of the caller.

        Raises:
            Unauthenticated: it is not the administrator, or not the password.
            TooManyTries: this address was wrong too often just now.
        """
        known, now_ms = self.tries.get(source), round(self._now() * 1000)
        wait_ms = known.until_ms - now_ms if known is not None else 0
        if 0 < wait_ms <= LONGEST_PAUSE_S * 1000:  # longer: the clock was put back
            raise TooManyTries(wait_ms / 1000)
        is_right = hmac.compare_digest(self._digest_of(password), self._digest)
        if is_right and hmac.compare_digest(user.encode(errors="replace"), self.user.encode()):
            self.tries.pop(source, None)
            return Actor(name=self.user, role="owner")
        if known is None and len(self.tries) >= MAX_KEPT:
            self.tries.pop(next(iter(self.tries)))
        count = 1 if known is None else known.count + 1
        pause_s = min(LONGEST_PAUSE_S, 2.0 ** min(count - FREE_TRIES, 6)) if count >= FREE_TRIES else 0.0
        self.tries[source] = Tries(count=count, until_ms=now_ms + round(pause_s * 1000))
        raise Unauthenticated("The user name or the password is wrong.")

    def _digest_of(self, password: str) -> bytes:
        return hmac.new(self._key, password.encode(errors="replace"), hashlib.sha256).digest()


def login_of(environment: Mapping[str, str]) -> AdminLogin:
    """The login with the password of the environment.

    Raises:
        WrongUse: there is none, or it is easy to guess.
    """
    password, user = environment.get(VARIABLE, ""), environment.get(USER_VARIABLE) or USER
    if not password:
        raise WrongUse(
            f"Signing in with a password needs one: set the variable {VARIABLE} to {LEAST_LENGTH} characters or more. "
            f"It is that of the user '{user}'."
        )
    if len(password) < LEAST_LENGTH or len(password.encode(errors="replace")) > MOST_BYTES:
        raise WrongUse(
            f"The password in {VARIABLE} must have {LEAST_LENGTH} characters at least, {MOST_BYTES} bytes at most."
        )
    if password.lower() in COMMON or len(set(password)) == 1:
        raise WrongUse(f"The password in {VARIABLE} is one of those that are tried first. Choose another.")
    if ":" in user or len(user) > MOST_NAME or not user.isprintable():
        raise WrongUse(
            f"The user name in {USER_VARIABLE} has a colon or more than {MOST_NAME} characters: choose another."
        )
    return AdminLogin(password, user=user)
