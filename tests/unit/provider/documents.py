"""The services' own OpenAPI documents. They aren't part of the repository: without them nothing is judged,
and the test that imports this is skipped."""

import os
import pathlib
import sys

SKIPPED = 77
TOP = pathlib.Path(__file__).resolve().parents[3]
SHARED = pathlib.Path(os.environ.get("CONDUIT_SHARED", TOP.parent / "shared"))
DOCUMENTS = SHARED / "data" / "openapi"


def missing(what):
    print(f"{pathlib.Path(sys.argv[0]).name}: {what}")
    sys.exit(SKIPPED)


if not DOCUMENTS.exists():
    missing(f"no documents at {DOCUMENTS}")
if "vgpreload" in os.environ.get("LD_PRELOAD", ""):
    missing("under valgrind, which would watch Python and not the providers")

try:
    import jsonschema
    import yaml
except ImportError as error:
    sys.exit(f"{error}: scripts/setup --tests installs it")


class Document:
    """A service's OpenAPI document."""

    def __init__(self, name):
        with open(DOCUMENTS / name, encoding="utf-8") as file:
            self.root = yaml.load(file, Loader=yaml.CSafeLoader)
        self.resolver = jsonschema.RefResolver("", self.root)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def members(self, schema):
        """The names that an object of this schema may have."""
        schema = self.resolve(schema)
        names = set(schema.get("properties", {}))
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, []):
                names |= self.members(part)
        return names

    def operation(self, method, path):
        return self.root["paths"].get(path, {}).get(method.lower())

    def body_schema(self, operation, form=False):
        content = self.resolve(operation.get("requestBody", {})).get("content", {})
        kind = "multipart/form-data" if form or "application/json" not in content else "application/json"
        return content[kind]["schema"] if content else None

    def faults(self, method, path, query, headers, body, form=False):
        """What is wrong with a request, in words."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} isn't in the document"]
        parameters = self.root["paths"][path].get("parameters", []) + operation.get("parameters", [])
        found = self.of_parameters([self.resolve(one) for one in parameters], query, headers)
        schema = self.body_schema(operation, form)
        if schema is None:
            return found + (["a body that isn't in the document"] if body is not None else [])
        return found + self.of_schema(schema, body, "the body")

    def known(self, method, path, form=False):
        """The members that a body may have."""
        schema = self.body_schema(self.operation(method, path), form)
        return self.members(schema) if schema is not None else set()

    def of_parameters(self, parameters, query, headers):
        found = []
        given = {"query": query, "header": headers}
        for one in parameters:
            name = one["name"].lower() if one["in"] == "header" else one["name"]
            values = given.get(one["in"], {})
            if one.get("required") and name not in values and name not in ("x-api-key", "authorization"):
                found.append(f"the {one['in']} {name} is missing")
            if name in values and one["in"] == "query":
                value = values[name]
                value = int(value) if value.isdigit() else value
                found += self.of_schema(one["schema"], value, name)
        known = {one["name"] for one in parameters if one["in"] == "query"}
        return found + [f"the query {name} isn't in the document" for name in query if name not in known]

    def of_schema(self, schema, value, what):
        checker = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        return [f"{what}: {error.json_path}: {error.message[:300]}" for error in checker.iter_errors(value)]


def document(name, read={}):
    if name not in read:
        read[name] = Document(name)
    return read[name]
