"""What stands before every route: limit, deadline, silence about failures."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from updp_node.dicomweb.gate import Gate, InterruptedAnswerError

START = {"type": "http.response.start", "status": 200, "headers": []}


def scope() -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("::1", 1)}


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(gate: Gate) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await gate(scope(), receive, send)
    return sent


def test_more_requests_than_are_served_are_told_to_come_back():
    async def play() -> list[int]:
        going = asyncio.Event()

        async def app(_: object, __: object, send: Any) -> None:
            await going.wait()
            await send(dict(START))
            await send({"type": "http.response.body", "body": b"x"})

        gate = Gate(app, max_requests=2, send_timeout_s=5)
        asked = [asyncio.create_task(ask(gate)) for _ in range(5)]
        await asyncio.sleep(0.05)
        going.set()
        answers = await asyncio.gather(*asked)
        answers.append(await ask(gate))
        return [answer[0]["status"] for answer in answers]

    assert asyncio.run(play()) == [200, 200, 503, 503, 503, 200]


def test_a_failure_is_told_without_its_text():
    async def app(*_: object) -> None:
        raise ValueError("Doe^John")

    answer = asyncio.run(ask(Gate(app, max_requests=2, send_timeout_s=5)))
    assert answer[0]["status"] == 500
    assert json.loads(answer[1]["body"]) == {"error": "the request could not be served"}


def test_an_answer_that_fails_half_way_is_broken_off():
    async def app(_: object, __: object, send: Any) -> None:
        await send(dict(START))
        raise ValueError("Doe^John")

    with pytest.raises(InterruptedAnswerError, match="interrupted") as broken:
        asyncio.run(ask(Gate(app, max_requests=2, send_timeout_s=5)))
    assert "Doe" not in str(broken.value)
    assert broken.value.__suppress_context__


def test_a_client_that_does_not_read_is_given_up():
    async def app(_: object, __: object, send: Any) -> None:
        await send(dict(START))

    async def stuck(_: object) -> None:
        await asyncio.sleep(60)

    gate = Gate(app, max_requests=2, send_timeout_s=0.05)
    with pytest.raises(InterruptedAnswerError):
        asyncio.run(gate(scope(), receive, stuck))
