"""Reads Kubernetes objects as a JSON list on stdin and prints, as a JSON list, what is wrong with each (null: nothing).

Kubernetes' own kinds are held against its schemas in strict mode (kubernetes-validate carries them), others against the
custom resource definitions in the directory that is the second argument; the first is the version of Kubernetes.
"""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml


def strict(schema):
    """The API server drops what a definition does not name; here that is an error."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    if isinstance(schema.get("pattern"), str) and "(?i)" in schema["pattern"]:
        # Go takes the flag anywhere, Python only in front.
        made["pattern"] = "(?i)" + schema["pattern"].replace("(?i)", "")
    return made


def definitions(directory):
    found = {}
    for file in sorted(pathlib.Path(directory).glob("*.yaml")):
        definition = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        spec = definition["spec"]
        for version in spec["versions"]:
            name = (f'{spec["group"]}/{version["name"]}', spec["names"]["kind"])
            schema = strict(version["schema"]["openAPIV3Schema"])
            # Kubernetes knows the shape of these three itself.
            schema["properties"].update(apiVersion={}, kind={}, metadata={})
            found[name] = schema
    return found


def problem(item, version, custom):
    name = (item.get("apiVersion"), item.get("kind"))
    try:
        if name in custom:
            jsonschema.validate(item, custom[name])
        else:
            kubernetes_validate.validate(item, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    except jsonschema.ValidationError as error:
        return f'{".".join(str(part) for part in error.path)}: {error.message}'
    return None


def main():
    version, directory = sys.argv[1:]
    custom = definitions(directory)
    json.dump([problem(item, version, custom) for item in json.load(sys.stdin)], sys.stdout)


main()
