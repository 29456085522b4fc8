"""The worker process put together: indexes, crew, runs, deliveries, workflows, clock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from updp_node.config import Config
from updp_node.crew import Crew
from updp_node.delivery import Deliveries
from updp_node.documents import load_text_engine
from updp_node.forward import make_destination, settings_of
from updp_node.line import Line, make_line
from updp_node.log import get_logger
from updp_node.pixels.workshop import load_tools
from updp_node.publication import tidy
from updp_node.runs import RunSteps
from updp_node.scheduler import Scheduler
from updp_node.storage.delivery_index import DeliveryIndex
from updp_node.storage.released_index import ReleasedIndex
from updp_node.storage.review_index import ReviewIndex
from updp_node.storage.run_index import RunIndex
from updp_node.storage.study_index import StudyIndex
from updp_node.subject import ProjectKey
from updp_node.workflow import Engine, Workflows
from updp_node.zones import Zones


@dataclass(frozen=True)
class Worker:
    """A worker ready to run.

    Attributes
    ----------
    scheduler : Scheduler
    engine : Engine
    crew : Crew
    """

    scheduler: Scheduler
    engine: Engine
    crew: Crew

    @classmethod
    def open(cls, config: Config) -> Worker:
        """Open both zones, compile the profiles and launch the workflows.

        Raises
        ------
        ConfigError
            Key, profile, model or a destination's certificates cannot be used.
        """
        zones = Zones.of(config)
        identified, released = zones.open_identified(), zones.open_released()
        lines = compile_lines(config)
        crew = Crew(cpu_processes=config.work.cpu_processes, attempts=config.work.attempts)
        findable = ReleasedIndex(released, zones.released)
        if unread := findable.count_unread():
            get_logger().warning("released-index-incomplete", count=unread)
        runs = RunSteps(config, RunIndex(identified), findable, crew, lines)
        tidy(runs.outgoing, index=runs.index, released=findable, aside=zones.identified / "orphans")
        deliveries = Deliveries(
            config,
            DeliveryIndex(identified),
            {target.name: make_destination(settings_of(target)) for target in config.destinations},
        )
        models = [line.tools for line in lines.values() if line.model_sha256]
        threads = config.work.torch_threads
        model = partial(load_tools, models.pop(), threads) if models else None
        packs = {pack for line in lines.values() for pack in line.text_packs}
        crew.warm_up(partial(load_text_engine, packs), model)
        engine = Engine(config.identified, Workflows(runs, deliveries))
        engine.launch(config.target_names)
        scheduler = Scheduler(
            config=config,
            studies=StudyIndex(
                identified, association_expiry_s=2 * config.receiver.network_timeout_s
            ),
            deliveries=deliveries.index,
            review=ReviewIndex(identified),
            runs=runs,
            lines=lines,
            crew=crew,
            engine=engine,
        )
        return cls(scheduler, engine, crew)

    def close(self) -> None:
        """Stop the workflows and end the crew."""
        self.engine.close()
        self.crew.close()


def compile_lines(config: Config) -> dict[str, Line]:
    """The line of every profile that a route names, by the profile's name there.

    Raises
    ------
    ConfigError
        Key, profile or model cannot be used.
    """
    key = ProjectKey.load(config.project.key_file)
    return {
        name: make_line(
            name, key=key, project=config.project.name, pseudonym=config.project.pseudonym,
            search=config.profile_folders, uid_root=config.project.uid_root,
            generators=config.generators,
        )
        for name in sorted({route.profile for route in config.routes})
    }  # fmt: skip
