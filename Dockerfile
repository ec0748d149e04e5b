# Aerugo in a container: docs/DEPLOYMENT.md says how to build and run it. Written for BuildKit and for the builder before
# it alike, so no --mount. amd64 and arm64 (every dependency has binaries for both; arm64 is not tested).

# Node as package.json pins it; the digest is of the index of all platforms. Written here and not as an argument:
# Dependabot, which moves it, reads FROM lines alone.
FROM node:24.21.0-trixie-slim@sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe AS base

FROM base AS build
# A mirror of the package registry, for this stage alone: nothing of it is in the image.
ARG NPM_CONFIG_REGISTRY
ARG NPM_CONFIG_UPDATE_NOTIFIER=false
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Seconds since 1970, the time of every file in the image, so that equal sources make equal layers.
ARG SOURCE_DATE_EPOCH=315532800
RUN node node_modules/@nestjs/cli/bin/nest.js build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && node scripts/image-files.mjs /image

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Aerugo" \
      org.opencontainers.image.description="A distributed, multi-tenant OCI container registry" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/node:24.21.0-trixie-slim"

# The packages have a layer of their own: most upgrades do not change it.
COPY --from=build /image/packages/ /
COPY --from=build /image/registry/ /
# The only place to write, for blobs on the filesystem. Platforms that choose a user by themselves leave it group 0.
COPY --from=build --chown=10001:0 /image/state/ /

# What scripts/install.mjs runs Node with; test/image compares.
ENV NODE_ENV=production UV_THREADPOOL_SIZE=16 MALLOC_ARENA_MAX=2 DATA_DIR=/data \
    MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
WORKDIR /app
USER 10001:0
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["aerugo", "health"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--expose-gc", "/app/dist/src/cli/main.js"]
CMD ["serve"]
