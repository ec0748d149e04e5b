#!/usr/bin/env bash
# Packages the chart as a release: its default image is the one of the release, by digest.
#
#   scripts/package-chart.sh VERSION IMAGE DIGEST [DIRECTORY]
#   scripts/package-chart.sh 1.2.3 ghcr.io/example/aerugo sha256:… dist-chart
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

version=${1:-} image=${2:-} digest=${3:-} directory=${4:-.}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+ && $image =~ ^[a-z0-9./_:-]+$ && $digest =~ ^sha256:[0-9a-f]{64}$ ]]; then
  sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$root/helm/aerugo" "$work/aerugo"
sed -e "/^image:\$/,/^[a-z]/ { s|^  repository: .*|  repository: $image|; s|^  digest: .*|  digest: $digest|; }" \
  "$root/helm/aerugo/values.yaml" >"$work/aerugo/values.yaml"

helm package "$work/aerugo" --version "$version" --app-version "$version" --destination "$directory"

# What users get, and not what was meant: an image without its digest must not be released.
rendered=$(helm template check "$directory/aerugo-$version.tgz" --kube-version 1.30.0 \
  --set config.S3_BUCKET=check,secrets.DATABASE_URL.secretName=check)
images=$(sed -n 's/^ *image: //p' <<<"$rendered" | sort -u)
if [ "$images" != "$image@$digest" ]; then
  printf 'package-chart: the chart would run another image than %s@%s:\n%s\n' "$image" "$digest" "$images" >&2
  exit 1
fi
