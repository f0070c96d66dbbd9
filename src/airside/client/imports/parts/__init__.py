"""What is taken over, in the order in which it is: one small file for each kind of thing."""

from airside.client.imports.parts.logged_models import LoggedModels
from airside.client.imports.parts.models import Models
from airside.client.imports.parts.port import Part
from airside.client.imports.parts.runs import Runs
from airside.client.imports.parts.versions import Versions

PARTS: tuple[Part, ...] = (Runs(), LoggedModels(), Models(), Versions())
"""Behind the experiments, which everything belongs to. Versions come last: their files are there by then."""

__all__ = ["PARTS", "Part"]
