#!/usr/bin/env python3
"""Judges answers by an OpenAPI 3.1 description, with validators that this project did
not write.

  validate.py openapi.json [--some | --elsewhere=ID,…] < answers.jsonl     exit 0: all follow it, and every operation was
                                                        asked for, unless only some are judged; those named (operationId)
                                                        are another test's

A line of the input is {"method", "path" (as in the description), "status",
"content_type", "body" (text)}.
"""
import json
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate as validate_description


def resolved(description, schema):
    """The schema with the description's components behind its references."""
    return {**schema, "components": description["components"]}


def faults(description, answer):
    operation = description["paths"].get(answer["path"], {}).get(answer["method"].lower())
    name = f"{answer['method']} {answer['path']} {answer['status']}"
    if operation is None:
        yield f"{name}: not described"
        return
    response = operation["responses"].get(str(answer["status"]))
    if response is None:
        yield f"{name}: this status is not described; the answer was {answer['body'][:300]}"
        return
    content = response.get("content")
    if not content:
        if answer["body"] and answer["status"] in (204, 304):
            yield f"{name}: a body where there is to be none"
        return
    kind = answer["content_type"].split(";")[0].strip()
    if kind not in content:
        yield f"{name}: {kind or 'no content type'}, described are {sorted(content)}"
        return
    if not kind.endswith("json"):
        return
    schema = resolved(description, content[kind]["schema"])
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    for error in validator.iter_errors(json.loads(answer["body"])):
        yield f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        description = json.load(file)
    validate_description(description)
    answers = [json.loads(line) for line in sys.stdin]
    wrong = [fault for answer in answers for fault in faults(description, answer)]
    succeeded = {(a["path"], a["method"].lower()) for a in answers if a["status"] < 400}
    elsewhere = {name for word in sys.argv[2:] if word.startswith("--elsewhere=") for name in word.partition("=")[2].split(",")}
    for path, operations in description["paths"].items() if "--some" not in sys.argv else ():
        wrong += [f"{method.upper()} {path}: no test asked for it with success" for method in operations
                  if (path, method) not in succeeded and operations[method]["operationId"] not in elsewhere]
    for fault in wrong:
        print(fault)
    print(f"{len(answers)} answers, {len(wrong)} faults")
    return 1 if wrong or not answers else 0


if __name__ == "__main__":
    sys.exit(main())
