"""A generator of the configuration: checked, digested, opened."""

from __future__ import annotations

from functools import lru_cache

from updp_node.config.generators import DiffusersGenerator, SiteModel
from updp_node.log import get_logger
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.site.approval import check_source, read_approved
from updp_node.pixels.site.external import ProgramGenerator
from updp_node.pixels.site.generator import SiteGenerator, digest_source
from updp_node.pixels.site.loading import check_libraries
from updp_node.pixels.site.programs import digest_program
from updp_node.pixels.vocabulary import Vocabulary


def approve_source(source: SiteModel) -> str:
    """Read every byte that a generator names; returns the generator's digest. Imports no torch.

    Raises
    ------
    ConfigError
        Something differs from what was approved, or a library is absent.
    """
    manifest = check_source(source)
    if isinstance(source, DiffusersGenerator):
        check_libraries(manifest.pipeline)
        return digest_source(source)
    return digest_program(source)


@lru_cache(maxsize=8)
def load_vocabulary(source: SiteModel | None) -> Vocabulary:
    """The rendered vocabulary of a generator, without torch.

    Parameters
    ----------
    source : DiffusersGenerator or ExternalGenerator or None
        None for the model that comes with the node.

    Raises
    ------
    ConfigError
        The manifest is not the approved one.
    """
    if source is None:
        return load_default_vocabulary()
    return read_approved(source).read_vocabulary()


def open_generator(
    source: SiteModel, *, threads: int | None = None
) -> SiteGenerator | ProgramGenerator:
    """Load a generator of the configuration, ready to draw.

    Parameters
    ----------
    source : DiffusersGenerator or ExternalGenerator
    threads : int, optional
        CPU threads of torch.

    Raises
    ------
    ConfigError
        It differs from what was approved, or does not load.
    """
    generator: SiteGenerator | ProgramGenerator
    if isinstance(source, DiffusersGenerator):
        generator = SiteGenerator(source, threads=threads)
    else:
        generator = ProgramGenerator(source)
    generator.load()
    get_logger().info("generator-loaded", model=generator.name, reason="near-copy-not-tested")
    return generator
