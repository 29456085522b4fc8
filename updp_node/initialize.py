"""``updp-node init``: a commented configuration, a project key, development certificates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from updp_node.certificates import create_development_certificates
from updp_node.errors import ConfigError
from updp_node.subject import ProjectKey

_TEMPLATE = """\
# Configuration of a updp_node. Relative paths are relative to this file.
# `updp-node check --config {name}` explains what it amounts to; an unknown key is refused.

project:
  name: {project}                 # part of every pseudonym; recipients of two projects cannot link
  key_file: project.key           # whoever holds it can test guesses: guard it like the originals
  pseudonym: "{{project}}-{{code}}"   # research-side Patient ID

storage:
  root: storage                   # identified/ and released/ are made below it
  # database: postgresql+psycopg://...   # of the identified zone; SQLite below root by default
  reserve_mib: 1024               # below this free space senders get 0xA700 and keep their objects
  retain_staged_days: 7           # originals are deleted so long after they came, once done with

receiver:                         # what the PACS routes studies to
  ae_title: UPDP_NODE
  host: 127.0.0.1                 # 0.0.0.0 to be reached from outside
  port: 11112
  processes: 1                    # several share the port
  require_called_ae_title: true
  peers:                          # who may send; a calling AE title, networks, or both together
    - networks: [127.0.0.0/8, "::1/128"]
  # - ae_title: HOSPITAL_PACS
  #   networks: [192.0.2.0/24]
  # allow_any_peer: true          # instead of peers; only in a closed network
  max_associations: 100
  max_associations_per_peer: 20
  # tls:                          # BCP 195: TLS 1.2 or newer
  #   certificate: certs/node.pem
  #   key: certs/node.key
  #   ca: certs/ca.pem
  #   require_client_certificate: true

settling:
  quiet_s: 60                     # a study is complete when nothing came for so long
  report_wait_s: 21600            # images to be synthesized wait this long for their report

routes:                           # the first whose conditions an instance of the study meets
  - name: chest
    when:
      - {{keyword: Modality, in: [CR, DX]}}      # equals, in, or regex
    profile: research-cxr         # `updp-node profile list`
    destinations: [research]
  # - name: everything-else
  #   calling_ae_titles: [HOSPITAL_PACS]
  #   profile: basic
  #   destinations: [research]
  # A study that no route takes is quarantined (no-route).

destinations:
  - name: research
    type: folder
    path: research                # made by init; a missing folder counts as unreachable
  # - name: archive
  #   type: dimse
  #   host: archive.example
  #   port: 104
  #   ae_title: RESEARCH
  #   tls: {{certificate: certs/node.pem, key: certs/node.key, ca: certs/ca.pem}}

# research:                       # researchers query and retrieve what was released; see
#   ae_title: UPDP_RESEARCH       # docs/how-to/serve-researchers.md
#   host: 127.0.0.1
#   port: 11113
#   access:                       # nobody sees anything unless named
#     - ae_title: WORKSTATION
#       networks: [192.0.2.0/24]
#       projects: [{project}]
#   destinations:                 # where C-MOVE may send to
#     - {{ae_title: WORKSTATION, host: 192.0.2.10, port: 104}}
#   web: {{port: 8043}}             # DICOMweb: updp-node token add --project {project} --name WHOSE

work:
  cpu_processes: 2
  batch_instances: 50
  attempts: 3                     # then quarantine
  torch_threads: 2
  retry_base_s: 5                 # a destination that is down: 5 s, doubling, with jitter
  retry_cap_s: 600
"""


def initialize(folder: Path, *, project: str, now: datetime) -> list[Path]:
    """Make a node's folder.

    Parameters
    ----------
    folder : pathlib.Path
        Made if absent; nothing in it is ever replaced.
    project : str
    now : datetime
        With time zone; the certificates count from here.

    Returns
    -------
    list of pathlib.Path
        What was written, the configuration first.

    Raises
    ------
    ConfigError
        There is a configuration, key or certificate already.
    """
    config = folder / "updp-node.yaml"
    if config.exists():
        raise ConfigError("is there already and never replaced", file=str(config))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ProjectKey.create(folder / "project.key")
    certificates = create_development_certificates(folder / "certs", now=now)
    (folder / "research").mkdir(exist_ok=True)
    config.write_text(_TEMPLATE.format(name=config.name, project=project), encoding="utf-8")
    return [config, folder / "project.key", *certificates]
