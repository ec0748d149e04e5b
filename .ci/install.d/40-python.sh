# Programs from PyPI.
set -euo pipefail

bash "$(dirname "${BASH_SOURCE[0]}")/../python/install.sh" schemathesis
