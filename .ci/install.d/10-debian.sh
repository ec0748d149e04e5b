# Servers and clients that Debian 12 packages.
set -euo pipefail

packages=(
  postgresql pgbouncer redis-server
  docker.io docker-registry
  skopeo buildah
  nginx-light squid wrk chromium prometheus
  util-linux mount procps ca-certificates openssl curl jq python3-venv
)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "install: apt-get install ${missing[*]}"

# Debian starts a service as soon as it is installed. Nothing may listen here that a test did not start.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq -o DPkg::Lock::Timeout=600
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}" >/dev/null
