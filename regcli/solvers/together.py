"""Work that waits for products with the data, done for several lanes at once: one pass over the data serves all.

A kernel is a coroutine. Where it knows its quadratic by products alone, and needs one, it says so and waits; with a
matrix it never waits, and is run through by ``complete``.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

__all__ = ["complete", "together"]

Request = TypeVar("Request")
Response = TypeVar("Response")
Result = TypeVar("Result")


def complete(work: Coroutine[Any, Any, Result]) -> Result:
    """Run work that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    work.close()
    raise AssertionError("work that was to be run through waits for a product")


def together(
    works: Sequence[Coroutine[Request, Response, Result]], serve: Callable[[list[Request]], Sequence[Response]]
) -> list[Result]:
    """Run several pieces of work side by side; what they wait for is served whenever all that go on do wait."""
    results: dict[int, Result] = {}
    responses: dict[int, Any] = dict.fromkeys(range(len(works)))
    try:
        while responses:
            requests: dict[int, Request] = {}
            for at, response in responses.items():
                try:
                    requests[at] = works[at].send(response)
                except StopIteration as end:
                    results[at] = end.value
            served = serve(list(requests.values())) if requests else ()
            responses = dict(zip(requests, served, strict=True))
    finally:
        for work in works:
            work.close()
    return [results[at] for at in range(len(works))]
