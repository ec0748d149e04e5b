# What the Helm chart is held against: the schemas of Kubernetes and of the custom resources that it makes, and the pod
# security standards as the API server judges them.
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

# module version file
definitions=(
  "sigs.k8s.io/gateway-api v1.5.1 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"
  "github.com/prometheus-operator/prometheus-operator v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
  "github.com/prometheus-operator/prometheus-operator v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"
)
wanted=$(printf '%s\n' "${definitions[@]}")
if [ "$(cat "$home/definitions/versions" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p "$home/definitions"
  for row in "${definitions[@]}"; do
    read -r module release file <<<"$row"
    echo "install: $(basename "$file") of $module@$release"
    sources=$(go mod download -json "$module@$release" | jq -r .Dir)
    install -m 644 "$sources/$file" "$home/definitions/"
  done
  echo "$wanted" >"$home/definitions/versions"
fi

source=$root/test/helm/pod-standard
sum=$(cat "$source"/main.go "$source"/go.sum | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$home/pod-standard.sum" 2>/dev/null)" != "$sum" ] || [ ! -x "$GOBIN/pod-standard" ]; then
  started=$SECONDS
  echo "install: go build pod-standard"
  (cd "$source" && nice go build -o "$GOBIN/pod-standard" . 2> >(grep -v "^go: downloading" >&2))
  echo "$sum" >"$home/pod-standard.sum"
  echo "install: pod-standard built in $((SECONDS - started)) s"
fi
