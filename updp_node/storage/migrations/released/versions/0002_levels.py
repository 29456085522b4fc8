"""patients, studies, series and tokens; instances by number.

Instances of before keep their rows without a series: ``updp-node index rebuild`` reads their
files, and until then they are not found.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _create_levels()
    for name in ("project", "series_uid", "study_uid"):
        op.drop_index(f"ix_released_instances_{name}", table_name="released_instances")
    op.rename_table("released_instances", "released_instances_0001")
    op.create_table(
        "released_instances",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("series_key", sa.Integer(), nullable=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("sop_class_uid", sa.String(64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(64), nullable=False),
        sa.Column("number_of_frames", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("released_at", sa.Double(), nullable=False),
        sa.Column("superseded_by", sa.String(64), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_key"], ["released_series.id"],
            name="fk_released_instances_series_key_released_series",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_released_instances_0002"),
        sa.UniqueConstraint("sop_instance_uid", name="uq_released_instances_sop_instance_uid"),
    )  # fmt: skip
    op.create_index(
        "ix_released_instances_series_key_superseded_by", "released_instances",
        ["series_key", "superseded_by"],
    )  # fmt: skip
    op.execute(
        "INSERT INTO released_instances (sop_instance_uid, project, sop_class_uid, "
        "transfer_syntax_uid, number_of_frames, size_bytes, file, sha256, released_at, "
        "superseded_by, attributes) SELECT sop_instance_uid, project, sop_class_uid, "
        "transfer_syntax_uid, 1, 0, file, sha256, released_at, superseded_by, '{}' "
        "FROM released_instances_0001 ORDER BY released_at"
    )
    op.drop_table("released_instances_0001")


def downgrade() -> None:
    """Refuse: the tables of before could not hold what is there."""
    raise NotImplementedError("an index goes back by a backup, or by a rebuild with the old node")


def _create_levels() -> None:
    op.create_table(
        "released_patients",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("patient_id", sa.String(64), nullable=False),
        sa.Column("name_alphabetic", sa.String(324), nullable=False),
        sa.Column("name_ideographic", sa.String(324), nullable=False),
        sa.Column("name_phonetic", sa.String(324), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_released_patients"),
        sa.UniqueConstraint(
            "project", "patient_id", name="uq_released_patients_project_patient_id"
        ),
    )
    op.create_table(
        "released_studies",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("patient_key", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("study_date", sa.String(8), nullable=True),
        sa.Column("study_time", sa.String(12), nullable=True),
        sa.Column("accession_number", sa.String(64), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_key"], ["released_patients.id"],
            name="fk_released_studies_patient_key_released_patients",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_released_studies"),
        sa.UniqueConstraint("project", "study_uid", name="uq_released_studies_project_study_uid"),
    )  # fmt: skip
    op.create_table(
        "released_series",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("study_key", sa.Integer(), nullable=False),
        sa.Column("series_uid", sa.String(64), nullable=False),
        sa.Column("modality", sa.String(16), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_key"], ["released_studies.id"],
            name="fk_released_series_study_key_released_studies",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_released_series"),
        sa.UniqueConstraint(
            "study_key", "series_uid", name="uq_released_series_study_key_series_uid"
        ),
    )  # fmt: skip
    op.create_table(
        "released_syntaxes",
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("sop_class_uid", sa.String(64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint(
            "project", "sop_class_uid", "transfer_syntax_uid", name="pk_released_syntaxes"
        ),
    )
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("sha256", name="uq_access_tokens_sha256"),
    )
    for table, columns in (
        (
            "released_patients",
            ("patient_id", "name_alphabetic", "name_ideographic", "name_phonetic"),
        ),
        ("released_studies", ("patient_key", "study_uid", "study_date", "accession_number")),
        ("released_series", ("series_uid", "modality")),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
