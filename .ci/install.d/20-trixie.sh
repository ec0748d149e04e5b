# oras, cosign and the second Compose are in Debian 13 only; they need nothing newer than what Debian 12 has.
set -euo pipefail

packages=(oras cosign docker-compose)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "install: apt-get install ${missing[*]} from trixie"

sources=/etc/apt/sources.list.d/trixie.sources
own=/etc/apt/sources.list.d/debian.sources
if [ ! -e "$sources" ]; then
  [ -e "$own" ] || { echo "install: $own is missing, so the machine's own Debian mirror is unknown" >&2; exit 1; }
  # The first stanza of the machine's own list (its mirror and keyring), with the other release.
  awk '/^#/ { next } /^$/ { if (seen) exit; next } { seen = 1 } /^Suites:/ { print "Suites: trixie"; next } { print }' \
    "$own" >"$sources"
fi
# Below every other release: only what is asked for by name comes from here.
printf 'Package: *\nPin: release n=trixie\nPin-Priority: 10\n' >/etc/apt/preferences.d/trixie

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq -o DPkg::Lock::Timeout=600
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]/%//trixie}" >/dev/null
