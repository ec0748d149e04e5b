# Programs from PyPI, each in an environment of its own.
set -euo pipefail

version=4.32.5
home=/opt/schemathesis

if [ "$("$home/bin/schemathesis" --version 2>/dev/null)" != "schemathesis, version $version" ]; then
  echo "install: schemathesis $version"
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi
ln -sf "$home/bin/schemathesis" /usr/local/bin/schemathesis
