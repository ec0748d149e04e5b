# Clients and S3 servers that are built from Go modules, at pinned versions.
set -euo pipefail

programs=(
  # program   module                                            package path    version
  "crane      github.com/google/go-containerregistry            /cmd/crane      v0.22.1"
  "regctl     github.com/regclient/regclient                    /cmd/regctl     v0.11.7"
  "regsync    github.com/regclient/regclient                    /cmd/regsync    v0.11.7"
  "versitygw  github.com/versity/versitygw                      /cmd/versitygw  v1.8.0"
  "helm       helm.sh/helm/v3                                   /cmd/helm       v3.22.0"
  "helm-docs  github.com/norwoodj/helm-docs                     /cmd/helm-docs  v1.14.2"
  "actionlint github.com/rhysd/actionlint                       /cmd/actionlint v1.7.12"
  "gitleaks   github.com/zricethezav/gitleaks/v8                -               v8.30.1"
  # A test peer only: archived upstream, and the second S3 implementation of the storage contract.
  "minio      github.com/minio/minio                            -               v0.0.0-20260212201848-7aac2a2c5b7c"
)

export GOBIN=${GOBIN:-$HOME/go/bin}
mkdir -p "$GOBIN"

for row in "${programs[@]}"; do
  read -r program module path version <<<"$row"
  [ "$path" = - ] && path=
  have=$(go version -m "$GOBIN/$program" 2>/dev/null | awk '$1 == "mod" { print $2 "@" $3 }') || true
  [ "$have" = "$module@$version" ] && continue
  started=$SECONDS
  echo "install: go install $module$path@$version"
  # Its list of downloads says nothing that the time does not.
  nice go install "$module$path@$version" 2> >(grep -v "^go: downloading" >&2)
  echo "install: $program built in $((SECONDS - started)) s"
done
