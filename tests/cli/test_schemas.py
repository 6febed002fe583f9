"""The schemas are schemas, and say yes and no where they should."""

from typing import Any

import jsonschema
import pytest

from regcli.cli.options import declared
from regcli.cli.texts import SchemaName
from regcli.errors import CODES, NOTE_CODES, WARNING_CODES, UsageError
from regcli.report.schemas import NAMES, SCHEMAS, codes, schema_document
from tests.cli.documents import HOSTILE, cv_document, fit_document, path_document

DOCUMENTS: dict[str, dict[str, Any]] = {
    "fit": fit_document(HOSTILE),
    "cv": cv_document(HOSTILE),
    "path": path_document(),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_hold_to_their_schemas(name: str) -> None:
    jsonschema.validate(DOCUMENTS[name], SCHEMAS[name])


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, document in DOCUMENTS.items() for key in document])
def test_every_key_is_required(name: str, key: str) -> None:
    document = {k: v for k, v in DOCUMENTS[name].items() if k != key}
    with pytest.raises(jsonschema.ValidationError, match="required"):
        jsonschema.validate(document, SCHEMAS[name])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_other_key_is_allowed(name: str) -> None:
    for changed in (
        {**DOCUMENTS[name], "more": 1},
        {**DOCUMENTS[name], "model": {**DOCUMENTS[name]["model"], "more": 1}},
    ):
        with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
            jsonschema.validate(changed, SCHEMAS[name])


def test_codes_are_all_of_them() -> None:
    assert [entry["code"] for entry in codes()] == [*CODES, *WARNING_CODES, *NOTE_CODES]
    assert not set(NOTE_CODES) & {*CODES, *WARNING_CODES}


def test_the_help_names_them_all() -> None:
    (choice,) = declared(SchemaName)
    assert choice.flag.help.rstrip(".").replace(", or ", ", ").split(", ") == list(NAMES)


def test_an_unknown_name_is_told_its_neighbours() -> None:
    assert {name: bool(schema_document(name)) for name in NAMES} == dict.fromkeys(NAMES, True)
    with pytest.raises(UsageError) as caught:
        schema_document("pat")
    assert (caught.value.code, caught.value.near[0]) == ("unknown-schema", "path")
