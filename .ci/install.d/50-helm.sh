# What the Helm chart is held against: the schemas of Kubernetes, the types of the custom resources that it makes, and the
# pod security standards as the API server judges them.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export GOBIN=${GOBIN:-$HOME/go/bin}
mkdir -p "$GOBIN"

version=1.37.0
home=/opt/kubernetes-validate
if [ "$("$home/bin/kubernetes-validate" --version 2>/dev/null)" != "$version" ]; then
  echo "install: kubernetes-validate $version"
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "kubernetes-validate==$version"
fi
ln -sf "$home/bin/kubernetes-validate" /usr/local/bin/kubernetes-validate

# Own programs over the operators' and the API server's Go packages.
for program in pod-standard custom-resources; do
  source=$root/test/helm/$program
  sum=$(cat "$source"/main.go "$source"/go.sum | sha256sum | cut -d ' ' -f 1)
  [ "$(cat "$home/$program.sum" 2>/dev/null)" = "$sum" ] && [ -x "$GOBIN/$program" ] && continue
  started=$SECONDS
  echo "install: go build $program"
  (cd "$source" && nice go build -o "$GOBIN/$program" . 2> >(grep -v "^go: downloading" >&2))
  echo "$sum" >"$home/$program.sum"
  echo "install: $program built in $((SECONDS - started)) s"
done
