#!/usr/bin/env bash
# Installs or updates Aerugo in the cluster of the current kubectl context, from the chart of this checkout.
#
#   scripts/deploy.sh [--dry-run] [--namespace NAME] [--release NAME] [-- HELM OPTIONS…]
#   scripts/deploy.sh -- --values my-values.yaml
#
# --dry-run checks the chart with these values and prints what would be applied; it asks no cluster.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

chart=${CHART:-$root/helm/aerugo} release=aerugo namespace=aerugo dry_run=false
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=true ;;
    --namespace | --release)
      [ -n "${2:-}" ] || { echo "deploy: $1 needs a name" >&2; exit 2; }
      declare "${1#--}=$2"
      shift
      ;;
    --) shift && break ;;
    *)
      sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
  shift
done

command -v helm >/dev/null || { echo 'deploy: helm is not installed' >&2; exit 1; }
[ -f "$chart/Chart.yaml" ] || { echo "deploy: there is no chart in $chart" >&2; exit 1; }

helm lint --quiet "$chart" "$@" >&2
if [ "$dry_run" = true ]; then
  exec helm template "$release" "$chart" --namespace "$namespace" "$@"
fi

echo "deploy: $release to namespace $namespace of $(kubectl config current-context)" >&2
# Back to what ran before when the new nodes do not become ready.
exec helm upgrade --install "$release" "$chart" --namespace "$namespace" --create-namespace \
  --atomic --wait --timeout 15m "$@"
