"""Ask over real HTTP at a fixed rate, whatever the answers take; run as a process of its own.

`python -m accord.app.bench.open_loop PLAN.json` prints one JSON object. Latency counts from the
moment at which a request was due, so that a slow answer cannot hide behind a late question.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Taken:
    """What was measured after the warm-up, in milliseconds."""

    client: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    lateness: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)


class Line:
    """One kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> tuple[str, dict[str, str], bytes]:
        """Send a request and return status, headers and body."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await self.reader.readexactly(int(headers["content-length"]))
        return head[0].split(" ", 2)[1], headers, body


class Load:
    """An open-loop load over a pool of connections that grows as it must."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.host: str = plan["host"]
        self.port: int = plan["port"]
        self.path: str = plan["path"]
        self.rate: float = plan["rate"]
        self.seconds: float = plan["seconds"]
        self.warm_up: float = plan["warm_up"]
        self.requests: list[bytes] = [self._request(each) for each in plan["requests"]]
        self.free: list[Line] = []
        self.taken = Taken()

    def _request(self, asked: dict[str, str]) -> bytes:
        body = asked["body"].encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: Bearer {asked['key']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def run(self) -> Taken:
        """Ask until the time is over and every answer is there."""
        begun = time.perf_counter()
        asked = []
        for number in range(int(self.rate * (self.warm_up + self.seconds))):
            due = begun + number / self.rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            counts = number >= self.rate * self.warm_up
            request = self.requests[number % len(self.requests)]
            asked.append(asyncio.create_task(self._ask(request, due, counts=counts)))
        await asyncio.gather(*asked)
        for line in self.free:
            line.writer.close()
        return self.taken

    def _free_line(self) -> Line | None:
        """Return an open line that waits; the server hangs up on those that waited too long."""
        while self.free:
            line = self.free.pop()
            if not line.reader.at_eof():
                return line
            line.writer.close()
        return None

    async def _ask(self, request: bytes, due: float, *, counts: bool) -> None:
        sent = time.perf_counter()
        line = self._free_line() or Line(*await asyncio.open_connection(self.host, self.port))
        try:
            status, headers, body = await line.ask(request)
        except (OSError, asyncio.IncompleteReadError):
            self.taken.statuses["no answer"] += counts
            return
        done = time.perf_counter()
        self.free.append(line)
        if not counts:
            return
        self.taken.client.append((done - due) * 1000)
        self.taken.lateness.append((sent - due) * 1000)
        _, _, duration = headers.get("server-timing", "").partition("dur=")
        if duration:
            self.taken.server.append(float(duration))
        self.taken.statuses[status] += 1
        self.taken.answers[_kind(status, body)] += 1


def _kind(status: str, body: bytes) -> str:
    """Return what an answer was: a card, a quiet list, none, or why not."""
    if status != "200":
        return f"http {status}"
    answer = json.loads(body)
    told = answer["extension"]["cyhr.reminder"]
    if answer["cards"]:
        return "card"
    return str(told.get("reason") or ("quiet" if told["status"] == "answered" else told["status"]))


def main() -> None:
    """Run the plan of the file that is named."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    taken = asyncio.run(Load(plan).run())
    print(
        json.dumps(
            {
                "client": taken.client,
                "server": taken.server,
                "lateness": taken.lateness,
                "statuses": taken.statuses,
                "answers": taken.answers,
            }
        )
    )


if __name__ == "__main__":
    main()
