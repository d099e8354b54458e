# syntax=docker/dockerfile:1
# fedval's site agent. Build from the root of the repository:
#   docker build --file deploy/docker/agent.Dockerfile --tag fedval-agent:local .
# For a release, pin both images by digest as well: --build-arg RUST=…@sha256:… --build-arg BASE=…@sha256:…

ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm
# No shell and no package manager: the C library, its certificates and time zones, nothing to break out with.
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST} AS build
WORKDIR /source
# The image's own toolchain, whatever components rust-toolchain.toml asks for.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package fedval-agent --bin fedval-agent \
    && install -D --mode=0755 target/release/fedval-agent /out/fedval-agent \
    && mkdir /out/lib && mkdir --mode=0700 /out/lib/fedval-agent

FROM ${BASE}
COPY --from=build /out/fedval-agent /usr/local/bin/fedval-agent
# A new volume takes over this folder's owner and mode.
COPY --from=build --chown=65532:65532 /out/lib/ /var/lib/
USER 65532:65532
ENV FEDVAL_AGENT_HOME=/var/lib/fedval-agent
WORKDIR /var/lib/fedval-agent
VOLUME ["/var/lib/fedval-agent"]
# Says that the vault can be read. The agent listens on nothing that could be asked; what it cannot go on
# with ends the process, and the engine starts it again.
HEALTHCHECK --interval=60s --timeout=10s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/fedval-agent", "jobs", "--json"]
ENTRYPOINT ["/usr/local/bin/fedval-agent"]
CMD ["--log-json", "run"]
