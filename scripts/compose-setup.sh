#!/bin/sh
# Makes the secrets of docker-compose.yml: .env with random ones, and a certificate for a trial. Existing files stay.
#
#   sh scripts/compose-setup.sh [HOST]     # the name that clients use; localhost without it
#
# ENV_FILE and TLS_DIRECTORY name other places.
set -eu
umask 077

cd "$(dirname "$0")/.."
host=${1:-localhost}
case $host in
  -* | *[!A-Za-z0-9.-]*)
    echo "compose-setup: \"$host\" is no host name; usage: sh scripts/compose-setup.sh [HOST]" >&2
    exit 2
    ;;
esac
env_file=${ENV_FILE:-.env}
tls=${TLS_DIRECTORY:-config/nginx/tls}
command -v openssl >/dev/null || { echo 'compose-setup: needs openssl' >&2; exit 1; }

if [ -e "$env_file" ]; then
  echo "compose-setup: $env_file is there already; left as it is"
  # Asked for by name, but another one is in the file, and in the certificate that was made with it.
  kept=$(sed -n 's/^REGISTRY_HOST=//p' "$env_file")
  if [ $# -gt 0 ] && [ "$kept" != "$host" ]; then
    echo "compose-setup: REGISTRY_HOST in it is \"$kept\": change it there, and remove $tls for another certificate" >&2
  fi
else
  cat >"$env_file" <<SECRETS
REGISTRY_HOST=$host
REGISTRY_PORT=8443
PROXY_USER=$(id -u):$(id -g)
ADMIN_PASSWORD=$(openssl rand -hex 12)
JWT_SECRET=$(openssl rand -hex 32)
POSTGRES_PASSWORD=$(openssl rand -hex 24)
CACHE_PASSWORD=$(openssl rand -hex 24)
STORE_USER=$(openssl rand -hex 10)
STORE_PASSWORD=$(openssl rand -hex 24)
SECRETS
  echo "compose-setup: made $env_file; the administrator is admin, with the ADMIN_PASSWORD in it"
fi

if [ -e "$tls/tls.crt" ]; then
  echo "compose-setup: $tls/tls.crt is there already; left as it is"
else
  mkdir -p "$tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host,DNS:localhost,IP:127.0.0.1" \
    -keyout "$tls/tls.key" -out "$tls/tls.crt" 2>/dev/null
  echo "compose-setup: made $tls/tls.crt, self-signed: for a trial. Replace it with a real one for other machines"
fi
