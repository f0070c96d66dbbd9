"""The bodies that official clients send are decoded at once, and mean what they mean the long way."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.core.errors import Invalid
from airside.server.mlflow.runs import ROUTES
from airside.server.mlflow.wire import WireRequest

CREATE = next(route for route in ROUTES if route.path.endswith("runs/create"))
TAG = st.fixed_dictionaries({}, optional={"key": st.text(max_size=3), "value": st.text(max_size=3)})
BODY = st.fixed_dictionaries(
    {},
    optional={
        "experiment_id": st.sampled_from(["0", "12", ""]),
        "user_id": st.text(max_size=3),
        "run_name": st.text(max_size=3),
        "start_time": st.sampled_from([0, -1, 5, 2**63 - 1, -(2**63), "7", 7.0]),
        "tags": st.lists(TAG, max_size=3),
    },
)


def asked(body: dict[str, Any]) -> bytes:
    sent = json.dumps(body).encode()
    return msgspec.json.encode(CREATE.decode(WireRequest(body=sent, headers={b"content-type": b"application/json"})))


@settings(max_examples=50, deadline=None)
@given(body=BODY)
def test_a_new_run_is_the_same_in_both_ways(body: dict[str, Any]) -> None:
    unknown = {**body, "more": 1}  # what the quick way does not know goes the long way
    assert asked(body) == asked(unknown)


@pytest.mark.parametrize("start", [2**63, -(2**63) - 1, 10**30, True])
def test_a_time_that_is_no_64_bit_integer_is_refused_in_both_ways(start: int) -> None:
    for more in ({}, {"more": 1}):
        with pytest.raises(Invalid, match="start_time"):
            asked({"start_time": start, **more})
