"""An external generator: what it is told, and that nothing it answers does harm."""

from __future__ import annotations

import io
import json
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import structlog
from PIL import Image

from tests.factories.site_models import PROGRAM, approve_program
from updp_node.errors import ConfigError, InstanceError
from updp_node.model import Prompt
from updp_node.pixels.site.external import ProgramGenerator
from updp_node.pixels.site.opening import open_generator
from updp_node.pixels.site.png import read_png
from updp_node.pixels.site.strict import UntrustedFileError

PROMPT = Prompt(("adult", "cardiomegaly"), ("pneumothorax",))


@pytest.fixture(autouse=True)
def _log_anew() -> None:
    """A command that ran before may have bound the log to a stream that is closed."""
    structlog.reset_defaults()


def draw(folder: Path, source: str, *, timeout_s: float = 5) -> np.ndarray:
    generator = open_generator(approve_program(folder, source, timeout_s=timeout_s))
    assert isinstance(generator, ProgramGenerator)
    try:
        return generator.generate(PROMPT, 2**63 - 1)
    finally:
        generator.close()


def answering(expression: str) -> str:
    """The program, with another answer to what is to be drawn."""
    return PROGRAM.replace(
        '    return {"id": request["id"], "png"', f'    return {expression}\n    return {{"png"'
    )


def test_it_learns_terms_words_size_and_seed_and_nothing_else(tmp_path: Path) -> None:
    told = tmp_path / "told"
    draw(
        tmp_path / "p",
        PROGRAM.replace("for line in sys.stdin:\n", f"""
import os
for line in sys.stdin:
    open({str(told)!r}, "a").write(line)
    open({str(told)!r} + ".env", "w").write(json.dumps([dict(os.environ), os.getcwd(),
        os.listdir("."), os.listdir("/proc/self/fd")]))
"""),
    )  # fmt: skip
    hello, request = (json.loads(line) for line in told.read_text().splitlines())
    assert hello == {"protocol": 1, "id": 1, "hello": "program"}
    assert request == {
        "protocol": 1, "id": 2, "terms": ["adult", "cardiomegaly"],
        "text": "frontal chest radiograph, adult, cardiomegaly", "seed": 2**63 - 1,
        "rows": 256, "columns": 256,
    }  # fmt: skip
    environment, folder, listed, handles = json.loads((tmp_path / "told.env").read_text())
    assert set(environment) - {"LC_CTYPE"} == {"PATH", "LANG", "HOME"}
    assert (folder, listed) == (environment["HOME"], [])
    assert len(handles) <= 6  # three pipes, what it opened itself


FAULTS = {
    "nothing": ('(time.sleep(60), {"id": 1})[1]', "timeout"),
    "its end": ("sys.exit(0)", "ended"),
    "a crash": ("1 / 0", "ended"),
    "garbage": ('(print("\\x1b[31m{{{", flush=True), time.sleep(9))', "bad-answer"),
    "bytes": (
        '(sys.stdout.buffer.write(b"\\xff\\x00\\n"), sys.stdout.flush(), time.sleep(9))',
        "bad-answer",
    ),
    "endless JSON": ('(print("[" * 9_000_000, flush=True), time.sleep(9))', "too-long"),
    "deep JSON": ('(print("[" * 90_000, flush=True), time.sleep(9))', "bad-answer"),
    "a list": ("[1, 2]", "bad-answer"),
    "another number": ('{"id": 77, "png": ""}', "bad-answer"),
    "no image": ('{"id": request["id"]}', "bad-answer"),
    "a path": ('{"id": request["id"], "png": "/etc/passwd"}', "bad-answer"),
    "no base64": ('{"id": request["id"], "png": "%%%"}', "bad-answer"),
    "no PNG": ('{"id": request["id"], "png": "R0lGODlh"}', "bad-answer"),
    "another size": (
        '{"id": request["id"], "png": base64.b64encode(png(512, 256, 1)).decode()}',
        "bad-answer",
    ),
}


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_fault_ends_the_program_and_refuses_the_image(tmp_path: Path, kind: str) -> None:
    expression, reason = FAULTS[kind]
    started = time.monotonic()
    with pytest.raises(InstanceError, match=f"external-generator-failed: {reason}, 2 attempts"):
        draw(tmp_path, "import time\n" + answering(expression), timeout_s=1)
    assert time.monotonic() - started < 15


def test_after_a_fault_it_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    once = f"""
import os
if not os.path.exists({str(mark)!r}):
    open({str(mark)!r}, "w").close()
    answer = lambda request: {{"id": request["id"], "protocol": 1}} if "hello" in request else 1/0
for line in sys.stdin:
"""
    pixels = draw(tmp_path / "p", PROGRAM.replace("for line in sys.stdin:\n", once))
    assert pixels.shape == (256, 256)
    assert mark.exists()


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    child = f"""
import subprocess
open({str(told)!r}, "w").write(str(subprocess.Popen(["sleep", "60"]).pid))
"""
    draw(tmp_path / "p", child + PROGRAM)
    pid = int(told.read_text())
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail("the child of the program still runs")


def test_a_program_that_speaks_unasked_is_not_believed(tmp_path: Path) -> None:
    chatty = PROGRAM.replace(
        "print(json.dumps(answer(request)), flush=True)",
        'sys.stdout.write(2 * (json.dumps(answer(request)) + "\\n")); sys.stdout.flush()',
    )
    with pytest.raises(InstanceError, match="external-generator-failed"):
        draw(tmp_path, chatty)


def test_one_that_does_not_speak_the_protocol_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not answer"):
        draw(tmp_path, PROGRAM.replace('"protocol": 1', '"protocol": 2'))


def test_one_that_changed_is_not_started_again(tmp_path: Path) -> None:
    source = approve_program(tmp_path)
    generator = open_generator(source)
    assert isinstance(generator, ProgramGenerator)
    generator.generate(PROMPT, 1)
    generator.close()
    (tmp_path / "draw.py").write_text(PROGRAM + "\n")
    with pytest.raises(ConfigError, match="digest that was approved"):
        generator.generate(PROMPT, 1)


def test_a_file_of_the_command_that_the_manifest_does_not_name_is_refused(tmp_path: Path) -> None:
    source = approve_program(tmp_path)
    (tmp_path / "more.py").touch()
    more = source.model_copy(update={"command": (*source.command, str(tmp_path / "more.py"))})
    with pytest.raises(ConfigError, match="not of the manifest"):
        open_generator(more)


def test_command_and_environment_are_part_of_the_digest(tmp_path: Path) -> None:
    source = approve_program(tmp_path)
    changed = [{"command": (*source.command, "--fast")}, {"environment": ("A=1",)}]
    sources = [source, *(source.model_copy(update=change) for change in changed)]
    assert len({ProgramGenerator(each).sha256 for each in sources}) == 3


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def ihdr(*, columns: int = 4, rows: int = 2, kind: tuple[int, ...] = (16, 0, 0, 0, 0)) -> bytes:
    return chunk(b"IHDR", struct.pack(">II5B", columns, rows, *kind))


def idat(samples: list[list[int]]) -> bytes:
    lines = b"".join(b"\0" + struct.pack(f">{len(row)}H", *row) for row in samples)
    return chunk(b"IDAT", zlib.compress(lines))


ROWS = [[0, 128, 129, 257], [65535, 65406, 32896, 514]]
GOOD = idat(ROWS)
END = chunk(b"IEND", b"")


def test_sixteen_bits_become_eight_by_the_documented_rule() -> None:
    pixels = read_png(png(ihdr(), GOOD, END), rows=2, columns=4)
    assert pixels.tolist() == [[0, 0, 1, 1], [255, 254, 128, 2]]
    assert pixels.dtype == np.uint8


def test_a_png_of_pillow_is_read() -> None:
    stream = io.BytesIO()
    Image.fromarray(np.array(ROWS, dtype=np.uint16)).save(stream, "PNG")
    assert read_png(stream.getvalue(), rows=2, columns=4)[1, 0] == 255


BOMB = zlib.compress(bytes(20_000_000))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        png(ihdr(), GOOD),
        png(GOOD, ihdr(), END),
        png(ihdr(), END),
        png(ihdr(), ihdr(), GOOD, END),
        png(ihdr(), GOOD, END)[:-3],
        png(ihdr(), GOOD, END) + b"more",
        png(ihdr(columns=60_000, rows=60_000), chunk(b"IDAT", BOMB), END),
        png(ihdr(), chunk(b"IDAT", BOMB), END),
        png(ihdr(), chunk(b"zTXt", b"a\0\0" + BOMB), GOOD, END),
        png(ihdr(), chunk(b"iCCP", b"a\0\0" + BOMB), GOOD, END),
        png(ihdr(), chunk(b"tEXt", b"name\0someone"), GOOD, END),
        png(ihdr(kind=(8, 0, 0, 0, 0)), GOOD, END),
        png(ihdr(kind=(16, 2, 0, 0, 0)), GOOD, END),
        png(ihdr(kind=(16, 0, 0, 0, 1)), GOOD, END),
        png(ihdr(), idat(ROWS[:1]), END),
        png(ihdr(), chunk(b"IDAT", b"nonsense"), END),
        png(ihdr(), GOOD.replace(b"IDAT", b"IDAT")[:-4] + b"0000", END),
        png(ihdr(), struct.pack(">I", 2**31 - 1) + b"IDAT"),
    ],
)
def test_any_other_png_is_refused_without_being_inflated(content: bytes) -> None:
    started = time.process_time()
    with pytest.raises(UntrustedFileError):
        read_png(content, rows=2, columns=4)
    assert time.process_time() - started < 1
