"""A server that answers every call of MLflow's client at once: the floor of what a script can see.

python bench/instant.py PORT
"""

import asyncio
import json
import sys

INFO = {
    "run_id": "0" * 32,
    "run_uuid": "0" * 32,
    "run_name": "instant",
    "experiment_id": "0",
    "user_id": "",
    "status": "RUNNING",
    "start_time": 1,
    "artifact_uri": "mlflow-artifacts:/0",
    "lifecycle_stage": "active",
}
EXPERIMENT = {
    "experiment_id": "0",
    "name": "scripts",
    "artifact_location": "mlflow-artifacts:/0",
    "lifecycle_stage": "active",
}
BODY = json.dumps(
    {"run": {"info": INFO, "data": {}, "inputs": {}}, "run_info": INFO, "experiment": EXPERIMENT}
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


class Instant(asyncio.Protocol):
    """Answers when a request is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, split, body = self.held.partition(b"\r\n\r\n")
        told = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        if split and len(body) >= int(told or 0):
            self.held = b""
            self.transport.write(ANSWER)  # type: ignore[attr-defined]  # asyncio names the base class


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
