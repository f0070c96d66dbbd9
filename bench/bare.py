"""The two limits that the server is measured against: ASGI without storage, and a bare group commit.

python bench/bare.py echo PORT            uvicorn, msgspec, nothing stored
python bench/bare.py commit PORT FILE     the same with one row a request, shared commits, synchronous=FULL
"""

import asyncio
import queue
import sqlite3
import sys
import threading
from typing import Any

import msgspec
import uvicorn

HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}
BODY = {"type": "http.response.body", "body": b"{}"}


class Point(msgspec.Struct):
    run_id: str
    key: str
    value: float
    timestamp: int
    step: int = 0


DECODER = msgspec.json.Decoder(Point)


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    DECODER.decode((await receive())["body"])
    await send(HEAD)
    await send(BODY)


class GroupCommit:
    """One writer thread, one commit for all that waits."""

    def __init__(self, file: str) -> None:
        self.waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.file = file
        threading.Thread(target=self.write, daemon=True).start()

    def write(self) -> None:
        db = sqlite3.connect(self.file, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE point (run TEXT, key TEXT, value REAL, time INTEGER, step INTEGER)")
        while True:
            group = [self.waiting.get()]
            db.execute("BEGIN IMMEDIATE")
            while True:
                point, _, _ = group[-1]
                db.execute(
                    "INSERT INTO point VALUES (?, ?, ?, ?, ?)",
                    (point.run_id, point.key, point.value, point.timestamp, point.step),
                )
                if self.waiting.empty():
                    break
                group.append(self.waiting.get())
            db.execute("COMMIT")
            loop = group[0][2]
            loop.call_soon_threadsafe(self.settle, [future for _, future, _ in group])

    @staticmethod
    def settle(futures: list[Any]) -> None:
        for future in futures:
            if not future.done():
                future.set_result(None)

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        point = DECODER.decode((await receive())["body"])
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.waiting.put((point, future, loop))
        await future
        await send(HEAD)
        await send(BODY)


if __name__ == "__main__":
    application = echo if sys.argv[1] == "echo" else GroupCommit(sys.argv[3])
    uvicorn.run(
        application, host="127.0.0.1", port=int(sys.argv[2]), lifespan="off", access_log=False, log_level="warning"
    )
