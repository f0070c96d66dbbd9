"""What stands around every page: the side-bar. What is not built yet is not listed."""

from airside.core.record import Record


class Place(Record):
    """An entry of the side-bar."""

    name: str
    href: str
    icon: str


class Group(Record):
    """Some entries under a heading."""

    name: str
    places: tuple[Place, ...]


NAVIGATION: tuple[Group, ...] = (
    Group(name="Overview", places=(Place(name="Catalog", href="/", icon="layout-grid"),)),
    Group(
        name="Build",
        places=(
            Place(name="Experiments", href="/experiments", icon="flask-conical"),
            Place(name="Prompts", href="/prompts", icon="scroll-text"),
            Place(name="Datasets", href="/datasets", icon="database"),
            Place(name="Pipelines", href="/pipelines", icon="workflow"),
        ),
    ),
    Group(
        name="Release",
        places=(
            Place(name="Endpoints", href="/endpoints", icon="server"),
            Place(name="Approvals", href="/approvals", icon="shield-check"),
        ),
    ),
    Group(
        name="Watch",
        places=(
            Place(name="Monitors", href="/monitors", icon="activity"),
            Place(name="Alerts", href="/alerts", icon="bell"),
        ),
    ),
    Group(name="Govern", places=(Place(name="Webhooks", href="/webhooks", icon="zap"),)),
)
