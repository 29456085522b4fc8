# The steps are those of scripts/setup, so that what is tested is what is built.
FROM python:3.11-slim-bookworm

# dciodvfy, for the gate.
RUN apt-get update && apt-get install -y --no-install-recommends dicom3tools \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --home-dir /var/lib/updp-node updp-node
WORKDIR /opt/updp-node
COPY pyproject.toml constraints.txt requirements-model.txt README.md ./
COPY scripts scripts
COPY updp_node updp_node
COPY profiles profiles
RUN scripts/setup --runtime && rm -rf /root/.cache

USER updp-node
ENV PATH=/opt/updp-node/.venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /var/lib/updp-node
# `docker run -v FOLDER:/var/lib/updp-node IMAGE init .` makes the configuration first.
VOLUME /var/lib/updp-node
EXPOSE 11112 11113 8043
ENTRYPOINT ["updp-node"]
CMD ["serve", "--config", "/var/lib/updp-node/updp-node.yaml"]
