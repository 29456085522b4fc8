"""The worker processes: what one instance does to its worker concerns it alone."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError


def double(number: int) -> int:
    if number == 13:
        raise InstanceError("unlucky", "(0010,0010)")
    if number == 14:
        raise ValueError("a value of an attribute")
    if number == 15:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 16:
        raise ConfigError("no key")
    return 2 * number


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def has_torch(_: int) -> bool:
    return sys.modules.get("torch", "absent") is not None


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    crew = Crew(cpu_processes=2, attempts=2)
    yield crew
    crew.close()


def test_results_come_in_the_order_of_the_tasks(crew: Crew) -> None:
    assert list(crew.map_cpu(double, range(10))) == [2 * number for number in range(10)]


def test_an_instance_error_stands_for_its_instance(crew: Crew) -> None:
    first, error, last = crew.map_cpu(double, [1, 13, 2])
    assert (first, last) == (2, 4)
    assert isinstance(error, InstanceError)
    assert (error.code, error.detail) == ("unlucky", "(0010,0010)")


def test_an_unexpected_error_tells_its_kind_and_not_its_text(crew: Crew) -> None:
    (error,) = crew.map_cpu(double, [14])
    assert isinstance(error, InstanceError)
    assert str(error) == "unexpected-error: ValueError"


def test_a_task_that_kills_its_worker_is_given_up_and_the_others_are_done(crew: Crew) -> None:
    results = list(crew.map_cpu(double, [1, 15, 2, 3, 4]))
    killed = results.pop(1)
    assert results == [2, 4, 6, 8]
    assert isinstance(killed, InstanceError)
    assert killed.code == "worker-died"


def test_the_pool_works_again_after_a_worker_died(crew: Crew) -> None:
    list(crew.map_cpu(double, [15]))
    assert list(crew.map_cpu(double, [5])) == [10]


def test_an_error_of_the_node_is_no_fault_of_the_instance(crew: Crew) -> None:
    with pytest.raises(ConfigError):
        list(crew.map_cpu(double, [16]))


def test_the_cpu_workers_cannot_import_torch(crew: Crew) -> None:
    assert list(crew.map_cpu(has_torch, [0])) == [False]


def test_a_task_that_hangs_is_given_up_and_the_others_are_done() -> None:
    crew = Crew(cpu_processes=2, timeout_s=4)
    try:
        quick, hung, other = crew.map_cpu(sleep, [0.0, 60.0, 0.1])
    finally:
        crew.close()
    assert (quick, other) == (0.0, 0.1)
    assert isinstance(hung, InstanceError)
    assert hung.code == "worker-hung"
