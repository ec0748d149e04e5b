# What the Helm chart is held against: the schemas of Kubernetes, the types of the custom resources that it makes, and the
# pod security standards as the API server judges them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export GOBIN=${GOBIN:-$HOME/go/bin}
mkdir -p "$GOBIN"

bash "$root/.ci/python/install.sh" kubernetes-validate

# Own programs over the operators' and the API server's Go packages.
for program in pod-standard custom-resources; do
  source=$root/test/helm/$program
  sum=$(cat "$source"/main.go "$source"/go.sum | sha256sum | cut -d ' ' -f 1)
  [ "$(cat "$GOBIN/$program.sum" 2>/dev/null)" = "$sum" ] && [ -x "$GOBIN/$program" ] && continue
  started=$SECONDS
  echo "install: go build $program"
  (cd "$source" && nice go build -o "$GOBIN/$program" . 2> >(grep -v "^go: downloading" >&2))
  echo "$sum" >"$GOBIN/$program.sum"
  echo "install: $program built in $((SECONDS - started)) s"
done
