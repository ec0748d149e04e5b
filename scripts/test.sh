#!/usr/bin/env bash
# Runs what `npm test` runs; arguments narrow it to suites and files whose name has one of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec node scripts/test.mjs "$@"
