"""Requests to a running server, as any client might send them."""

import json
from typing import Any

import urllib3

API = "/api/2.0/mlflow"


class Asking:
    """Sends requests to a server as any client might."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False)

    def raw(self, method: str, path: str, body: bytes = b"", **headers: str) -> urllib3.BaseHTTPResponse:
        told = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self._pool.request(method, self._url + path, body=body or None, headers=told)

    def __call__(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        if method == "GET":
            query = "&".join(f"{key}={value}" for key, value in body.items())
            answer = self.raw("GET", f"{API}/{path}?{query}")
        else:
            answer = self.raw(method, f"{API}/{path}", json.dumps(body).encode())
        return answer.status, json.loads(answer.data)

    def events(self) -> int:
        """How many things have happened."""
        return int(json.loads(self.raw("POST", "/api/v1/platform.about", b"{}").data)["events"])

    def made(self, path: str, **body: Any) -> Any:
        status, answer = self("POST", path, **body)
        assert status == 200, answer
        return answer

    def run(self) -> str:
        return str(self.made("runs/create")["run"]["info"]["run_id"])

    def code(self, method: str, path: str, **body: Any) -> tuple[int, str]:
        status, answer = self(method, path, **body)
        return status, answer.get("error_code", "")


BAD = (400, "INVALID_PARAMETER_VALUE")
