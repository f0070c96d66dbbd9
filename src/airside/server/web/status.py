"""The five lights: each an icon, a word and a colour class. Every state of every room is one of them."""

from airside.core.record import Record


class Light(Record):
    """How a state looks."""

    state: str
    icon: str
    word: str


LIGHTS: dict[str, Light] = {
    "ok": Light(state="ok", icon="circle-check", word="Healthy"),
    "warn": Light(state="warn", icon="triangle-alert", word="Watch"),
    "bad": Light(state="bad", icon="octagon-x", word="Act"),
    "info": Light(state="info", icon="loader", word="Running"),
    "idle": Light(state="idle", icon="circle-dashed", word="No data"),
}

_OTHERS: dict[str, tuple[str, str]] = {
    # runs of tracking
    "RUNNING": ("info", "Running"),
    "SCHEDULED": ("info", "Scheduled"),
    "FINISHED": ("ok", "Finished"),
    "FAILED": ("bad", "Failed"),
    "KILLED": ("warn", "Killed"),
    # traces and spans
    "OK": ("ok", "OK"),
    "ERROR": ("bad", "Error"),
    "IN_PROGRESS": ("info", "In progress"),
    "UNSET": ("idle", "Not told"),
    "STATE_UNSPECIFIED": ("idle", "Not told"),
    # webhooks and deliveries
    "ACTIVE": ("ok", "Active"),
    "DISABLED": ("idle", "Disabled"),
    "delivered": ("ok", "Delivered"),
    "dead": ("bad", "Given up"),
    # pipeline runs and steps
    "queued": ("info", "Queued"),
    "running": ("info", "Running"),
    "waiting": ("info", "Waiting"),
    "interrupted": ("warn", "Interrupted"),
    "succeeded": ("ok", "Succeeded"),
    "failed": ("bad", "Failed"),
    "skipped": ("idle", "Skipped"),
    "cancelled": ("idle", "Cancelled"),
    "planned": ("idle", "Not started"),
    "cached": ("ok", "From cache"),
    # checks and gates
    "pass": ("ok", "Passed"),
    "fail": ("bad", "Failed"),
    "error": ("bad", "Error"),
    "unknown": ("idle", "Not decided"),
    "waived": ("warn", "Waived"),
    "expired": ("warn", "Expired"),
    "missing": ("idle", "Missing"),
    # endpoints and rollouts
    "empty": ("idle", "Nothing deployed"),
    "serving": ("ok", "Serving"),
    "paused": ("warn", "Paused"),
    "shadow": ("info", "Shadow"),
    "canary": ("info", "Canary"),
    "promoted": ("ok", "Promoted"),
    "rolled_back": ("bad", "Rolled back"),
    # alerts
    "critical": ("bad", "Critical"),
    "warning": ("warn", "Warning"),
    "open": ("bad", "Open"),
    "acknowledged": ("warn", "Acknowledged"),
    "closed": ("idle", "Closed"),
    # approvals
    "approved": ("ok", "Approved"),
    "refused": ("bad", "Refused"),
    "revoked": ("bad", "Revoked"),
    # versions
    "READY": ("ok", "Ready"),
    "PENDING_REGISTRATION": ("info", "Pending"),
    "FAILED_REGISTRATION": ("bad", "Failed"),
}


def light(state: str) -> Light:
    """The light of a state of any room.

    >>> light("rolled_back").word, light("rolled_back").icon, light("?").state
    ('Rolled back', 'octagon-x', 'idle')
    """
    if state in LIGHTS:
        return LIGHTS[state]
    colour, word = _OTHERS.get(state, ("idle", state.replace("_", " ") or "No data"))
    return Light(state=colour, icon=LIGHTS[colour].icon, word=word)
