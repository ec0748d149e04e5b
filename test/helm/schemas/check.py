"""Reads Kubernetes objects as a JSON list on stdin and prints, as a JSON list, what is wrong with each (null: nothing).

They are held against Kubernetes' own schemas in strict mode (kubernetes-validate carries them); the first argument is the
version of Kubernetes.
"""

import json
import sys

import jsonschema
import kubernetes_validate


def problem(item, version):
    try:
        kubernetes_validate.validate(item, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    except jsonschema.ValidationError as error:
        return f'{".".join(str(part) for part in error.path)}: {error.message}'
    return None


def main():
    (version,) = sys.argv[1:]
    json.dump([problem(item, version) for item in json.load(sys.stdin)], sys.stdout)


main()
