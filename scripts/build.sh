#!/usr/bin/env bash
# Builds the registry. `scripts/build.sh` compiles it here; `scripts/build.sh image [TAG]` builds the container image
# (default tag: aerugo:<version of package.json>) with docker, or with what BUILDER names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-here} in
  here)
    exec node -e "import('./scripts/install.mjs').then(({ prepare }) => prepare())"
    ;;
  image)
    version=$(node -p "require('./package.json').version")
    revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
    exec "${BUILDER:-docker}" build --build-arg "VERSION=$version" --build-arg "REVISION=$revision" -t "${2:-aerugo:$version}" .
    ;;
  *)
    echo 'usage: scripts/build.sh [here | image [TAG]]' >&2
    exit 2
    ;;
esac
