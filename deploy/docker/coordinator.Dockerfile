# syntax=docker/dockerfile:1
# fedval's coordinator. Build from the root of the repository:
#   docker build --file deploy/docker/coordinator.Dockerfile --tag fedval:local .
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
    cargo build --release --locked --package fedval --bin fedval \
    && install -D --mode=0755 target/release/fedval /out/fedval \
    && mkdir /out/lib && mkdir --mode=0700 /out/lib/fedval

FROM ${BASE}
COPY --from=build /out/fedval /usr/local/bin/fedval
# A new volume takes over this folder's owner and mode.
COPY --from=build --chown=65532:65532 /out/lib/ /var/lib/
USER 65532:65532
ENV FEDVAL_HOME=/var/lib/fedval
WORKDIR /var/lib/fedval
VOLUME ["/var/lib/fedval"]
EXPOSE 443
# As an operator, over TLS, through to the store. `url` must lead back into this container: host and port.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/fedval", "study", "list", "--json"]
ENTRYPOINT ["/usr/local/bin/fedval"]
CMD ["--log-json", "serve"]
