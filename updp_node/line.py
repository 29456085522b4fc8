"""What is the same for every instance that a profile is applied to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydicom import Dataset

from updp_node.config.generators import SiteModel
from updp_node.errors import ConfigError
from updp_node.header import CompiledProfile, compile_profile, load_profile
from updp_node.header.profile import FULL_DATES, MODIFIED_DATES, Profile, packaged_folders
from updp_node.model import Certainty, Finding, Laterality, PixelAction
from updp_node.pixels.anonymity import AnonymityPolicy
from updp_node.pixels.cleaning import Cleaning, load_cleaning
from updp_node.pixels.filter import PixelPolicy
from updp_node.pixels.optimization import Settings
from updp_node.pixels.workshop import Tools
from updp_node.subject import UUID_ROOT, ProjectKey, Subject, identify_subject
from updp_node.verify import Allowances


@dataclass(frozen=True, slots=True)
class Line:
    """A profile with the project it serves; travels to the worker processes.

    It travels light: the rules, a third of a megabyte, are compiled once in each process.

    Attributes
    ----------
    profile : Profile
    key : ProjectKey
    project : str
    pseudonym : str
        Template of the research-side Patient ID.
    model : str
        Name of the generator.
    model_sha256, lexicon_sha256 : str
        Digests of what else decides what comes out; empty where it is not used.
    uid_root : str
        What every new UID begins with.
    cleaning : Cleaning or None
        What stays of text in pixels, where the profile cleans any.
    generator : DiffusersGenerator or ExternalGenerator or None
        The section of the configuration that `model` names; None for ``default``.
    site_lexicons : pathlib.Path or None
        Folder of terms and formats that the site adds to the lexicons.
    """

    profile: Profile
    key: ProjectKey
    project: str
    pseudonym: str
    model: str
    model_sha256: str
    lexicon_sha256: str
    uid_root: str = UUID_ROOT
    cleaning: Cleaning | None = None
    generator: SiteModel | None = None
    site_lexicons: Path | None = None

    @property
    def rules(self) -> CompiledProfile:
        """The compiled profile."""
        return _compile(self.profile)

    @property
    def profile_digest(self) -> str:
        """SHA-256 over profile, model, lexicons and cleaning: part of every SOP Instance UID."""
        parts = [self.rules.digest, self.model_sha256, self.lexicon_sha256]
        if self.cleaning is not None:
            parts.append(self.cleaning.sha256)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def profile_name(self) -> str:
        """Name of the profile."""
        return self.profile.name

    @property
    def max_candidates(self) -> int:
        """How many counterparts are drawn at most for one image."""
        return self.profile.pixels.max_candidates

    @property
    def pixel_policy(self) -> PixelPolicy:
        """What happens to each kind of image."""
        pixels = self.profile.pixels
        return PixelPolicy(
            PixelAction(pixels.chest_frontal),
            PixelAction(pixels.chest_other),
            PixelAction(pixels.other_images),
        )

    @property
    def tools(self) -> Tools:
        """What the process that draws must load."""
        return Tools(self.model, self.generator)

    @property
    def optimization(self) -> Settings:
        """How prompts are searched."""
        wanted = self.profile.pixels.optimize
        return Settings(
            self.profile.pixels.solver, wanted.report_weight, wanted.max_terms,
            wanted.beam_width, wanted.iterations, wanted.patience, wanted.unstated == "optimize",
        )  # fmt: skip

    @property
    def anonymity(self) -> AnonymityPolicy:
        """How many people must share a prompt."""
        wanted = self.profile.pixels.anonymity
        return AnonymityPolicy(wanted.gate, wanted.k_min, wanted.rare)

    @property
    def beside_counterpart(self) -> PixelAction:
        """What happens to real pixels in a study that holds a counterpart."""
        return PixelAction(self.profile.pixels.beside_counterpart)

    @property
    def wait_for_report(self) -> bool:
        """Whether images wait for the report of their study."""
        return self.profile.report.wait

    @property
    def replacement(self) -> str:
        """How identifiers in text are replaced: ``surrogate`` or ``tag``."""
        return "tag" if self.profile.report.replacement == "category" else "surrogate"

    @property
    def text_pack(self) -> tuple[str, Path | None]:
        """Language of the reports, and the folder of what the site adds to its lexicons."""
        return self.profile.report.language, self.site_lexicons

    @property
    def text_packs(self) -> tuple[tuple[str, Path | None], ...]:
        """`text_pack`, and the same of the other languages that a document may declare."""
        return tuple((each, self.site_lexicons) for each in _languages_of(self.profile))

    @property
    def shifts_dates(self) -> bool:
        """Whether dates are shifted rather than removed."""
        return MODIFIED_DATES in self.profile.options

    def allowances(self, subject: Subject) -> Allowances:
        """What the profile retains for a subject, so that the gate takes it for no leak."""
        options = self.profile.options
        return Allowances(
            uids="Retain UIDs" in options,
            full_dates=FULL_DATES in options,
            institution="Retain Institution Identity" in options,
            device="Retain Device Identity" in options,
            patient_characteristics="Retain Patient Characteristics" in options,
            shift_days=subject.shift_days if self.shifts_dates else None,
        )

    def subject_of(self, source: Dataset) -> Subject:
        """The subject of an instance.

        Raises
        ------
        InstanceError
            ``missing-patient-id``.
        """
        return identify_subject(
            self.key,
            project=self.project,
            issuer=str(source.get("IssuerOfPatientID") or ""),
            patient_id=str(source.get("PatientID") or ""),
            template=self.pseudonym,
            shift_days=self.profile.dates.shift_days,
            uid_root=self.uid_root,
        )


@lru_cache(maxsize=16)
def _compile(profile: Profile) -> CompiledProfile:
    return compile_profile(profile)


def make_line(
    profile: str, *, key: ProjectKey, project: str, pseudonym: str, search: Sequence[Path] = (),
    uid_root: str = UUID_ROOT, generators: Sequence[SiteModel] = (),
) -> Line:  # fmt: skip
    """Compile a profile, by name or path, for a project.

    `generators` are the site's own, as the configuration has them.

    Raises
    ------
    ConfigError
        Profile, model or lexicons cannot be used.
    """
    loaded = load_profile(profile, search)
    named = [each for each in generators if each.name == loaded.pixels.model]
    if loaded.pixels.model != "default" and not named:
        raise ConfigError(
            f"no model {loaded.pixels.model} among the configuration's generators",
            file=profile,
            key="pixels.model",
        )
    _compile(loaded)
    kinds = (loaded.pixels.chest_frontal, loaded.pixels.chest_other, loaded.pixels.other_images)
    cleans = PixelAction.CLEAN in kinds
    synthesizes = loaded.pixels.chest_frontal == "synthesize"
    site = _find_site_lexicons(loaded, search)
    return Line(
        profile=loaded,
        key=key,
        project=project,
        pseudonym=pseudonym,
        model=loaded.pixels.model,
        model_sha256=_digest_model(named) if synthesizes else "",
        lexicon_sha256=_digest_lexicons(loaded, site),
        uid_root=uid_root,
        cleaning=load_cleaning([*search, *packaged_folders()]) if cleans else None,
        generator=named[0] if named else None,
        site_lexicons=site,
    )


def _find_site_lexicons(profile: Profile, search: Sequence[Path]) -> Path | None:
    """The folder that a profile names, as it stands or in the folders of profiles."""
    wanted = profile.report.site_lexicons
    if wanted is None:
        return None
    for folder in (Path(wanted), *(each / wanted for each in search)):
        if folder.is_dir():
            return folder.resolve()
    raise ConfigError("there is no such folder", file=profile.name, key="report.site_lexicons")


def _languages_of(profile: Profile) -> tuple[str, ...]:
    """The language of a profile's reports, then the others that it reads."""
    return tuple(dict.fromkeys((profile.report.language, *profile.report.other_languages)))


def _digest_lexicons(profile: Profile, site: Path | None) -> str:
    """One digest over those of all languages of a profile; of one alone its own."""
    from updp_node.text.lexicon import load_lexicons  # noqa: PLC0415

    digests = [load_lexicons(None, each, site).sha256 for each in _languages_of(profile)]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _digest_model(named: Sequence[SiteModel]) -> str:
    """Digest of the model, read and compared with what was approved."""
    from updp_node.pixels.site.opening import approve_source  # noqa: PLC0415
    from updp_node.pixels.weights import DEFAULT_FOLDER, digest_model  # noqa: PLC0415

    return approve_source(named[0]) if named else digest_model(DEFAULT_FOLDER)


def finding_to_record(finding: Finding) -> dict[str, str]:
    """A finding as it is kept in the index; terms of the whitelist only."""
    parts = {
        "term": finding.term, "certainty": finding.certainty.value,
        "laterality": finding.laterality.value if finding.laterality else None,
        "location": finding.location, "severity": finding.severity,
    }  # fmt: skip
    return {name: value for name, value in parts.items() if value is not None}


def finding_from_record(record: dict[str, str]) -> Finding:
    """The finding that `finding_to_record` wrote."""
    laterality = record.get("laterality")
    return Finding(
        term=record["term"],
        certainty=Certainty(record["certainty"]),
        laterality=Laterality(laterality) if laterality else None,
        location=record.get("location"),
        severity=record.get("severity"),
    )
