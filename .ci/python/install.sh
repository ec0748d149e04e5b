#!/usr/bin/env bash
# install.sh NAME: the program NAME from PyPI, in an environment of its own below /opt, linked into PATH. NAME.txt beside
# this file has each package by version and hash; pip-compile --generate-hashes --strip-extras makes it from NAME.in.
set -euo pipefail

name=$1
requirements=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$name.txt
home=/opt/$name
sum=$(sha256sum <"$requirements")

if [ "$(cat "$home/requirements.sum" 2>/dev/null)" != "$sum" ] || ! [ -x "$home/bin/$name" ]; then
  echo "install: $(grep -o "^$name==[^ ]*" "$requirements")"
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$requirements"
  echo "$sum" >"$home/requirements.sum"
fi
ln -sf "$home/bin/$name" "/usr/local/bin/$name"
