"""The routing table: immutable, swapped as one reference. A request keeps the one that it began with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airside.core.errors import NotFound, Unavailable, quoted
from airside.inference.predictor import Predictor
from airside.serving import rules
from airside.serving.process.batching import Batcher
from airside.serving.records import Arm, Route


@dataclass(frozen=True, eq=False)
class LiveModel:
    """A version that is loaded and warm.

    Attributes:
        key: model, version and a digest of its files: what it is, whatever endpoint uses it.
    """

    key: str
    predictor: Predictor
    batcher: Batcher


@dataclass(frozen=True, eq=False)
class LiveArm:
    """A version behind an endpoint, ready to answer."""

    arm: Arm
    model: LiveModel


@dataclass(frozen=True, eq=False)
class LiveRoute:
    """An endpoint, ready to answer.

    Attributes:
        arms: champion and canary.
        shadow: who answers the same requests, unseen.
        fault: why a version of the route is not served, or empty.
    """

    route: Route
    arms: tuple[LiveArm, ...]
    shadow: LiveArm | None = None
    fault: str = ""
    by_version: Mapping[int, LiveArm] = field(default_factory=dict)

    def pick(self, key: str) -> LiveArm:
        """The arm of a caller.

        Raises:
            Unavailable: the endpoint is paused, or nothing is ready to answer.
        """
        if self.route.state == "paused":
            raise Unavailable(f"The endpoint '{self.route.endpoint}' is paused.")
        if not self.arms:
            why = self.fault or "nothing was deployed to it yet"
            raise Unavailable(f"The endpoint '{self.route.endpoint}' cannot answer: {why}.")
        if len(self.arms) == 1:
            return self.arms[0]
        chosen = rules.pick([live.arm for live in self.arms], rules.bucket(self.route.salt, key))
        return next(live for live in self.arms if live.arm is chosen)


@dataclass(frozen=True, eq=False)
class Table:
    """Every endpoint at one revision of the routing; -1 before the first."""

    revision: int = -1
    routes: Mapping[str, LiveRoute] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Whether the routing is known and every endpoint that shall serve can."""
        return self.revision >= 0 and all(live.arms or live.route.state != "serving" for live in self.routes.values())

    def route(self, name: str) -> LiveRoute:
        """The endpoint of a name; the only one there is for an empty name.

        Raises:
            NotFound: there is none, or an empty name could mean several.
            Unavailable: the routing is not known yet.
        """
        if self.revision < 0:
            raise Unavailable("The serving process has just started and does not know its endpoints yet.")
        found = self.routes.get(name)
        if found is None and not name and len(self.routes) == 1:
            return next(iter(self.routes.values()))
        if found is None:
            asked = f"No endpoint '{name[:120]}'." if name else "Name the endpoint: /endpoints/NAME/invocations."
            raise NotFound(f"{asked} There are: {quoted(sorted(self.routes)) or 'none yet'}.")
        return found
