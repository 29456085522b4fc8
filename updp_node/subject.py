"""The subject: pseudonym, UIDs and date shift, fixed before anything is changed.

Everything comes from HMAC-SHA-256 under the project's key: stateless, so that every
worker and every restart agrees. Whoever holds the key can test guesses; it is guarded
as the authority of re-identification.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from updp_node.errors import ConfigError, InstanceError

KEY_BYTES = 32
UUID_ROOT = "2.25"
"""Root of UIDs that are made of 128 bits alone (PS3.5 B.2)."""

_PLACEHOLDER_IDS = frozenset(
    {"", "0", "00", "000", "0000", "UNKNOWN", "UNKNOWN ID", "ANONYMOUS", "ANON", "NONE", "N/A",
     "NA", "NULL", "NOID", "NO ID", "TEST", "DEFAULT", "PATIENT", "XXX", "XXXX", "-"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectKey:
    """The secret of one project.

    Attributes
    ----------
    secret : bytes
        32 bytes; never printed.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> ProjectKey:
        """Read a key file of 64 hexadecimal digits.

        Raises
        ------
        ConfigError
            The file is missing, readable by others, or not a key.
        """
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("the project key cannot be read", file=str(path)) from error
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError("the project key is open to others: chmod 600", file=str(path))
        try:
            secret = bytes.fromhex(text)
        except ValueError as error:
            raise ConfigError("not a project key (64 hex digits)", file=str(path)) from error
        if len(secret) != KEY_BYTES:
            raise ConfigError("not a project key (64 hex digits)", file=str(path))
        return cls(secret)

    @classmethod
    def create(cls, path: Path) -> ProjectKey:
        """Write a new random key, mode 0600; refuse to replace one."""
        key = cls(secrets.token_bytes(KEY_BYTES))
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConfigError(
                "a key is there already; it is never replaced", file=str(path)
            ) from error
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        return key

    def digest(self, purpose: str, *parts: str) -> bytes:
        """HMAC-SHA-256 over a purpose and unambiguously joined parts (32 bytes)."""
        joined = b"".join(len(raw).to_bytes(4, "big") + raw for raw in
                          (part.encode() for part in (purpose, *parts)))  # fmt: skip
        return hmac.new(self.secret, joined, hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Subject:
    """One patient within one project, as the research side knows him.

    Attributes
    ----------
    project : str
    pseudonym : str
    shift_days : int
        Added to every date; whole days, never zero where the range allows.
    subject_id : str
        Opaque id for the node's own tables; tells nothing without the key.
    uid_root : str
        What the UIDs of its objects begin with: 2.25, or the site's own root.
    """

    project: str
    pseudonym: str
    shift_days: int
    subject_id: str
    key: ProjectKey = field(repr=False)
    uid_root: str = UUID_ROOT


def normalize_patient_id(patient_id: str) -> str:
    """Patient ID as compared: outer space gone, inner space single, upper case."""
    return " ".join(patient_id.split()).upper()


def identify_subject(
    key: ProjectKey, *, project: str, issuer: str, patient_id: str,
    template: str = "{project}-{code}", shift_days: tuple[int, int] = (-365, -1),
    uid_root: str = UUID_ROOT,
) -> Subject:  # fmt: skip
    """The subject of (project, issuer of patient ID, normalized Patient ID).

    Parameters
    ----------
    template : str
        ``{project}`` and ``{code}`` (12 characters of base 32) are filled in.
    shift_days : tuple of int
        Smallest and largest shift, both included.
    uid_root : str
        At most 24 characters, so that 39 digits follow (PS3.5 9.1).

    Raises
    ------
    InstanceError
        ``missing-patient-id``: an empty or default ID is never merged with another.
    """
    normalized = normalize_patient_id(patient_id)
    if normalized in _PLACEHOLDER_IDS:
        raise InstanceError("missing-patient-id", "(0010,0020)")
    parts = (project, " ".join(issuer.split()).upper(), normalized)
    code = _base32(key.digest("pseudonym", *parts))[:12]
    low, high = shift_days
    offset = int.from_bytes(key.digest("date-shift", *parts)[:8], "big") % (high - low + 1)
    return Subject(
        project=project,
        pseudonym=template.format(project=project, code=code),
        shift_days=low + offset,
        subject_id=key.digest("subject", *parts).hex()[:32],
        key=key,
        uid_root=uid_root,
    )


def _base32(digest: bytes) -> str:
    """Crockford base 32 without letters that are mistaken for digits."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = int.from_bytes(digest, "big")
    return "".join(alphabet[(number >> shift) & 31] for shift in range(0, 250, 5))


@dataclass(frozen=True, slots=True)
class UidMap:
    """Source UIDs to released UIDs, the same for every object of a project.

    Attributes
    ----------
    subject : Subject
    profile_digest : str
    generations : Mapping[str, int]
        Source SOP Instance UID to the generation that references must name; 1 if absent.
    replaced_classes : Mapping[str, str]
        Source SOP Instance UID to the SOP Class of what replaces it, where that differs.
    """

    subject: Subject
    profile_digest: str
    generations: Mapping[str, int] = field(default_factory=dict)
    replaced_classes: Mapping[str, str] = field(default_factory=dict)

    def instance(self, source_uid: str) -> str:
        """SOP Instance UID of the newest generation of a source instance."""
        generation = self.generations.get(source_uid, 1)
        return self._uid("instance", source_uid, self.profile_digest, str(generation))

    def other(self, source_uid: str) -> str:
        """Study, Series, Frame of Reference and every other UID that names no instance."""
        if source_uid in self.generations:
            return self.instance(source_uid)
        return self._uid("uid", source_uid)

    def _uid(self, purpose: str, *parts: str) -> str:
        """A UID under the root from 128 bits of the keyed digest (PS3.5 B.2)."""
        digest = self.subject.key.digest(purpose, self.subject.project, *parts)[:16]
        return f"{self.subject.uid_root}.{int.from_bytes(digest, 'big')}"
