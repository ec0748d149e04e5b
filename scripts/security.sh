#!/usr/bin/env bash
# What is known of this checkout: advisories for the packages that run in production, and secrets in its files and history.
# `scripts/security.sh` does both, `scripts/security.sh audit` or `secrets` one of them. What cannot be asked here is left
# out, in one line; with CI=true that is a failure of `secrets`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:${GOBIN:-$HOME/go/bin}"

left_out() { echo "security: left out: $1"; }

audit() {
  local report code=0
  report=$(npm audit --omit=dev --audit-level=high --json --fetch-retries=0 2>/dev/null) || code=$?
  # An answer that is no report says nothing of the packages.
  if [[ $report != *'"auditReportVersion"'* ]]; then
    left_out 'audit: the package registry answers no audit request'
  elif [ "$code" -ne 0 ]; then
    printf '%s\n' "$report"
    echo 'security: a package that runs in production has an advisory that is high or worse' >&2
    return 1
  else
    echo 'security: no package that runs in production has an advisory that is high or worse'
  fi
}

secrets() {
  if ! command -v gitleaks >/dev/null; then
    left_out 'secrets: needs gitleaks; get it with bash .ci/install go'
    [ "${CI:-}" != true ]
    return
  fi
  if ! git rev-parse --git-dir >/dev/null 2>&1; then
    left_out 'secrets: this is no git clone'
    return
  fi
  local files config=$PWD/.gitleaks.toml
  files=$(mktemp -d)
  # shellcheck disable=SC2064 # this directory, whatever the variable is later
  trap "rm -rf '$files'" EXIT
  # Files that git does not see are nobody else's: .env, data, node_modules.
  git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -xf - -C "$files"
  (cd "$files" && gitleaks dir --config "$config" --no-banner --redact --verbose --log-level warn .)
  gitleaks git --config "$config" --no-banner --redact --verbose --log-level warn --log-opts=HEAD .
  echo 'security: no secret in the files, and none in the history'
}

case ${1:-all} in
  all)
    audit
    secrets
    ;;
  audit | secrets) "$1" ;;
  *)
    echo 'usage: scripts/security.sh [audit | secrets]' >&2
    exit 2
    ;;
esac
