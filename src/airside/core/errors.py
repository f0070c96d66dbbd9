"""The errors that may reach a caller.

    AirsideError
    ├── Invalid            400 INVALID_PARAMETER_VALUE
    │   ├── AlreadyExists  400 RESOURCE_ALREADY_EXISTS
    │   └── WrongUse       400 WRONG_USE
    ├── Unauthenticated    401 UNAUTHENTICATED
    ├── Denied             403 PERMISSION_DENIED
    ├── NotFound           404 RESOURCE_DOES_NOT_EXIST
    ├── Conflict           409 RESOURCE_CONFLICT
    ├── TooLarge           413 REQUEST_TOO_LARGE
    ├── Unprocessable      422 IDEMPOTENCY_MISMATCH
    ├── Overloaded         429 RESOURCE_EXHAUSTED
    ├── Internal           500 INTERNAL_ERROR
    ├── Unavailable        503 TEMPORARILY_UNAVAILABLE
    ├── DeadlineExceeded   504 DEADLINE_EXCEEDED
    └── DiskFull           507 INSUFFICIENT_STORAGE

A text says what was asked, what was found and what to do: ``No model version 'churn@7'. The newest is 'churn@5'.
List them with: airside models versions churn``. It never holds a path of the server, SQL, a stack or a secret.
"""

from collections.abc import Iterable
from typing import ClassVar

from airside.core.record import Record

MAX_TEXT = 4096
MAX_QUOTED = 10
MAX_QUOTED_LENGTH = 200


class ErrorBody(Record):
    """The JSON of every error."""

    error_code: str
    message: str


class AirsideError(Exception):
    """The request could not be done."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        text = message or (self.__doc__ or "").strip().splitlines()[0]
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 10] + " … (cut)"
        super().__init__(text)
        self.message = text
        if code is not None:
            self.code = code  # type: ignore[misc]  # one error may carry MLflow's older word for the same thing

    def body(self) -> ErrorBody:
        """What goes over the wire."""
        return ErrorBody(error_code=self.code, message=self.message)


class Invalid(AirsideError):
    """The request is not one that can be understood."""

    code, status = "INVALID_PARAMETER_VALUE", 400


class AlreadyExists(Invalid):
    """There is one of that name already."""

    code = "RESOURCE_ALREADY_EXISTS"


class WrongUse(Invalid):
    """A command cannot be run like this. Its exit status is 2."""

    code = "WRONG_USE"


class Unauthenticated(AirsideError):
    """A token is needed. Send it as: Authorization: Bearer TOKEN."""

    code, status = "UNAUTHENTICATED", 401


class Denied(AirsideError):
    """The caller lacks the right."""

    code, status = "PERMISSION_DENIED", 403


class NotFound(AirsideError):
    """There is no such thing."""

    code, status = "RESOURCE_DOES_NOT_EXIST", 404


class Conflict(AirsideError):
    """The state of the thing does not allow it."""

    code, status = "RESOURCE_CONFLICT", 409


class TooLarge(AirsideError):
    """The request is larger than the limit."""

    code, status = "REQUEST_TOO_LARGE", 413


class Unprocessable(AirsideError):
    """The idempotency key was used before, with another request."""

    code, status = "IDEMPOTENCY_MISMATCH", 422


class Overloaded(AirsideError):
    """Too much waits already. Try again in a second."""

    code, status, retry_after_s = "RESOURCE_EXHAUSTED", 429, 1


class Internal(AirsideError):
    """Something of ours failed. The server's log has the details under this request's id."""


class Unavailable(AirsideError):
    """Not ready. Try again shortly."""

    code, status, retry_after_s = "TEMPORARILY_UNAVAILABLE", 503, 1


class DeadlineExceeded(AirsideError):
    """It took longer than allowed."""

    code, status = "DEADLINE_EXCEEDED", 504


class DiskFull(AirsideError):
    """The server's disk is full. Nothing was written; reading goes on. Free some room and try again."""

    code, status = "INSUFFICIENT_STORAGE", 507


def _classes(root: type[AirsideError]) -> Iterable[type[AirsideError]]:
    yield root
    for child in root.__subclasses__():
        yield from _classes(child)


def from_wire(status: int, code: str, message: str) -> AirsideError:
    """The error that a server's answer stands for.

    >>> type(from_wire(404, "RESOURCE_DOES_NOT_EXIST", "No run")).__name__
    'NotFound'
    """
    every = list(_classes(AirsideError))[:0:-1]  # of several with one code or status, the first of the tree stands
    by_both = {(cls.code, cls.status): cls for cls in every}
    by_code = {cls.code: cls for cls in every}
    by_status = {cls.status: cls for cls in every}
    cls = by_both.get((code, status)) or by_code.get(code) or by_status.get(status) or AirsideError
    return cls(message, code=code)


def quoted(names: Iterable[str]) -> str:
    """Names for an error's text: at most ten, each cut.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    >>> quoted(str(i) for i in range(12))[-21:]
    "'8', '9' … and 2 more"
    """
    every = list(names)
    shown = ", ".join(repr(name[:MAX_QUOTED_LENGTH]) for name in every[:MAX_QUOTED])
    more = len(every) - MAX_QUOTED
    return f"{shown} … and {more} more" if more > 0 else shown
