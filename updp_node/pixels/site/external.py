"""A program of the site's own as a generator: JSON prompt and seed in, 16-bit PNG out."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.config.generators import ExternalGenerator
from updp_node.errors import ConfigError, InstanceError
from updp_node.log import get_logger
from updp_node.model import Prompt
from updp_node.pixels.site.approval import read_approved
from updp_node.pixels.site.generator import check_request
from updp_node.pixels.site.png import read_png
from updp_node.pixels.site.process import LineProcess, ProcessFault
from updp_node.pixels.site.programs import check_program, digest_program
from updp_node.pixels.site.strict import UntrustedFileError, read_object
from updp_node.pixels.vocabulary import Vocabulary

PROTOCOL = 1
ATTEMPTS = 2


class ProgramGenerator:
    """Draws by asking a program, which learns terms, their words and a seed.

    Parameters
    ----------
    source : ExternalGenerator
        The section of the configuration.

    Raises
    ------
    ConfigError
        The manifest is not the approved one.
    """

    def __init__(self, source: ExternalGenerator) -> None:
        self._source = source
        self._manifest = read_approved(source)
        self._vocabulary = self._manifest.read_vocabulary()
        self._process: LineProcess | None = None
        self._asked = 0

    @property
    def name(self) -> str:
        """As the configuration and the manifest have it."""
        return self._source.name

    @property
    def sha256(self) -> str:
        """Digest over manifest (which names that of every file), command and environment."""
        return digest_program(self._source)

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms that the manifest says this program draws."""
        return self._vocabulary

    def load(self) -> None:
        """Start the program and hear that it speaks the protocol.

        Raises
        ------
        ConfigError
            It is not what was approved, does not start, or answers something else.
        """
        try:
            self._start()
        except (ProcessFault, UntrustedFileError) as error:
            self.close()
            raise ConfigError(f"does not answer: {error}", key=f"generators.{self.name}") from None

    def generate(self, prompt: Prompt, seed: int) -> NDArray[np.uint8]:
        """Draw one image; see `updp_node.pixels.generator.Generator.generate`.

        Raises
        ------
        InstanceError
            ``external-generator-failed``: it hung, ended or answered nonsense, twice.
        """
        check_request(self._vocabulary, prompt, seed)
        terms = self._vocabulary.order(prompt.terms).terms
        fault = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._draw(terms, seed)
            except (ProcessFault, UntrustedFileError) as error:
                fault = error.reason if isinstance(error, ProcessFault) else "bad-answer"
                self.close()
                get_logger().warning(
                    "external-generator-killed", model=self.name, reason=fault, attempt=attempt
                )
        raise InstanceError("external-generator-failed", f"{fault}, {ATTEMPTS} attempts")

    def close(self) -> None:
        """End the program; the next image starts it again."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _draw(self, terms: tuple[str, ...], seed: int) -> NDArray[np.uint8]:
        sampling = self._manifest.sampling
        answer = self._ask(
            {
                "terms": list(terms),
                "text": self._manifest.write_text(terms),
                "seed": seed,
                "rows": sampling.rows,
                "columns": sampling.columns,
            },
            timeout_s=self._source.timeout_s,
        )
        encoded = answer.get("png")
        if not isinstance(encoded, str):
            raise UntrustedFileError("an answer without png")
        try:
            content = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise UntrustedFileError("png that is not base64") from None
        return read_png(content, rows=sampling.rows, columns=sampling.columns)

    def _ask(self, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """One line there, one line back, with the same number."""
        process = self._process or self._start()
        self._asked += 1
        line = json.dumps({"protocol": PROTOCOL, "id": self._asked, **request}).encode("ascii")
        sampling = self._manifest.sampling
        limit = 4 * sampling.rows * sampling.columns + (1 << 16)  # 16 bit, base64, and room
        answer = read_object(process.ask(line, timeout_s=timeout_s, limit=limit), limit=limit)
        if answer.get("id") != self._asked:
            raise UntrustedFileError("an answer to another request")
        return answer

    def _start(self) -> LineProcess:
        """Start the approved program; it answers a first request that draws nothing."""
        self.close()
        check_program(self._source.command, self._manifest)
        process = LineProcess(self._source.command, self._source.environment)
        self._process = process
        weakref.finalize(self, _end, process)
        answer = self._ask({"hello": self.name}, timeout_s=self._source.start_timeout_s)
        if answer.get("protocol") != PROTOCOL:
            raise UntrustedFileError("an answer of another protocol")
        return process


def _end(process: LineProcess) -> None:
    with contextlib.suppress(OSError):
        process.kill()
