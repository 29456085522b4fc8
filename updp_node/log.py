"""The log: a static event name and fields from a closed list, so that no PHI can enter.

An event is a sentence in lower case with hyphens. A field that is not in `FIELDS` is a
programming error and raises; the loggers of libraries that print values (pydicom prints
offending values, pynetdicom C-FIND identifiers) are cut off at start.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

FIELDS = frozenset(
    {
        "address", "ae_title", "association_id", "attempt", "batch", "calling_ae_title", "code",
        "count", "destination", "duration_s", "error_type", "event", "failed_count", "free_bytes",
        "generation",
        "instance_id", "level", "method", "model", "operation", "peer_address", "pid", "port",
        "process", "profile", "projects", "query_level", "reason", "role", "route", "run_id",
        "size_bytes", "sop_class_uid", "stage", "status", "study_id", "timestamp", "token_id",
        "transfer_syntax_uid", "version", "warning_count",
    }
)  # fmt: skip
_EVENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SILENCED = (
    "pydicom", "pynetdicom", "presidio-analyzer", "presidio_analyzer", "presidio-anonymizer",
    "dbos", "highdicom", "spacy", "tldextract", "diffusers", "PIL", "pypdf", "RapidOCR",
    "uvicorn.access", "transformers", "huggingface_hub",
)  # fmt: skip


class UnknownFieldError(ValueError):
    """A log call named a field that is not on the closed list."""


def _check(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    unknown = set(event) - FIELDS
    if unknown:
        raise UnknownFieldError(f"log fields not on the list: {sorted(unknown)}")
    if not _EVENT.fullmatch(str(event["event"])):
        raise UnknownFieldError("a log event is lower case words joined by hyphens")
    return event


def configure_log(*, console: bool | None = None) -> None:
    """Send the log to standard error, as JSON lines or, on a terminal, for people.

    Parameters
    ----------
    console : bool, optional
        Force (True) or forbid (False) the form for people; by default as the terminal says.
    """
    people = sys.stderr.isatty() if console is None else console
    renderer: Any = (
        structlog.dev.ConsoleRenderer(sort_keys=False)
        if people
        else structlog.processors.JSONRenderer(sort_keys=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _check,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=_print_to_stderr,
        cache_logger_on_first_use=False,
    )
    tame_libraries()


def _print_to_stderr(*_: Any) -> structlog.PrintLogger:
    """Where standard error is now: it may have been redirected since the log was set up."""
    return structlog.PrintLogger(sys.stderr)


def tame_libraries() -> None:
    """Cut off the loggers that print values of attributes or workflow inputs."""
    for name in _SILENCED:
        library = logging.getLogger(name)
        library.handlers = [logging.NullHandler()]
        library.propagate = False
        library.setLevel(logging.CRITICAL + 1)
    logging.captureWarnings(True)
    warnings_log = logging.getLogger("py.warnings")
    warnings_log.handlers = [logging.NullHandler()]
    warnings_log.propagate = False


def tell_crashes_without_values() -> None:
    """Replace the tracebacks of this process: the texts of exceptions may hold values.

    What is told is the kind of error and where it came from, as ``module:line`` in our code.
    """

    def told(kind: type[BaseException], trace: TracebackType | None) -> None:
        places = [
            f"{Path(frame.filename).stem}:{frame.lineno}"
            for frame in traceback.extract_tb(trace)
            if "updp_node" in Path(frame.filename).parts
        ]
        where = " ".join(places[-4:])
        get_logger().critical("process-crashed", error_type=kind.__name__, stage=where)

    def on_thread(arguments: threading.ExceptHookArgs) -> None:
        told(arguments.exc_type, arguments.exc_traceback)

    def on_process(
        kind: type[BaseException], _: BaseException, trace: TracebackType | None
    ) -> None:
        told(kind, trace)

    threading.excepthook = on_thread
    sys.excepthook = on_process


def get_logger() -> Any:
    """The node's logger: ``get_logger().info("association-accepted", peer_address=...)``."""
    return structlog.get_logger()
