# Verdict without engines: a service or a load generator against databases elsewhere
# (deploy/README.md). Engines of its own would need Python and npm.
ARG RUST_IMAGE=rust:1-bookworm
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${RUST_IMAGE} AS build
WORKDIR /verdict
COPY . .
RUN cargo build --release --locked --bin verdict

FROM ${BASE_IMAGE}
# Nothing but glibc is needed, and the authorities that a database's certificate may be signed by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /verdict/target/release/verdict /usr/local/bin/verdict
RUN mkdir /scratch && chown 10001:10001 /scratch
USER 10001:10001
WORKDIR /scratch
ENV VERDICT_ENGINES=external VERDICT_CACHE=/scratch/cache
EXPOSE 8080
ENTRYPOINT ["verdict"]
CMD ["--help"]
