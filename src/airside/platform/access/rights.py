"""The one place that decides who may do what."""

from airside.core.errors import Denied
from airside.core.operation import Actor

ROLES: dict[str, frozenset[str]] = {
    "owner": frozenset({"*"}),
    "service": frozenset({"*"}),
    "viewer": frozenset({"read"}),
    "caller": frozenset({"predict"}),
}
"""The verbs of each role; `*` is all. A caller asks endpoints for predictions, and nothing else.

Groups, and grants on single resources, come with the users.
"""


def authorise(actor: Actor, noun: str, verb: str) -> None:
    """Let pass, or raise.

    Raises:
        Denied: the actor's role does not have the verb; says what is needed and who can give it.

    >>> from airside.core.operation import LOCAL
    >>> authorise(LOCAL, "run", "write")
    """
    verbs = ROLES.get(actor.role, frozenset())
    if "*" not in verbs and verb not in verbs:
        raise Denied(
            f"This needs the right {noun}:{verb}; '{actor.name}' is a {actor.role}. "
            "The owner of this server can give it."
        )
