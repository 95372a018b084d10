"""The shape of a scenario file: what may stand where, and what is wrong with what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates, validates_schema

from authz_service.document import Mapping as Keys
from authz_service.document import follow, locate, locate_key, to_plain
from authz_service.errors import Fault, ScenarioError, suggest
from authz_service.policy.said import CHANNEL, PARTS
from authz_service.scenario.value import (
    MISSING,
    Answers,
    Changes,
    Count,
    Demands,
    Entity,
    Informs,
    Names,
    OneOrMany,
    Refusal,
    Time,
    Truth,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from authz_service.document import Value
    from authz_service.errors import Place

_UNKNOWN: Final = "unknown"
_STEP: Final = "do"
_TABLE: Final = "table"


class _Strict(Schema):
    """A mapping in which every key is known."""

    error_messages: dict[str, str] = {  # noqa: RUF012  # as marshmallow declares it
        "unknown": _UNKNOWN,
        "type": "must be keys with values",
    }


_NEEDED: Final[dict[str, Any]] = {"required": MISSING, "null": "holds nothing"}


def _many(inner: fields.Field[Any], *, required: bool = False) -> OneOrMany:
    return OneOrMany(
        inner,
        required=required,
        validate=validate.Length(min=1, error="is empty"),
        error_messages=_NEEDED,
    )


class _WithSchema(_Strict):
    subject = Names()
    action = Names()
    resource = Names()
    context = Names({CHANNEL: "has a key of its own; say it with `via:`"})


class _StepWithSchema(_WithSchema):
    action = Names(sent=True)


class _DoSchema(_Strict):
    who = Entity(required=True, error_messages=_NEEDED)
    action = Word(required=True)
    on = Entity(required=True, error_messages=_NEEDED)
    via = Word()
    said = fields.Nested(
        _StepWithSchema,
        data_key="with",
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing"},
    )


class _AfterSchema(_Strict):
    days = Count()
    hours = Count()
    minutes = Count()
    seconds = Count()


class _StepSchema(_Strict):
    do = fields.Nested(_DoSchema, required=True, error_messages=_NEEDED)
    after = fields.Nested(
        _AfterSchema,
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing"},
    )
    new = Word()
    changes = Changes(error_messages={"null": "holds nothing; `{{}}` says that nothing changes"})
    informs = Informs(error_messages={"null": "holds nothing; `{{}}` says that nobody is informed"})
    denied = _many(Word())


class _FactSchema(_Strict):
    add = Word()
    change = Entity(error_messages=_NEEDED)
    remove = Entity(error_messages=_NEEDED)
    say = Demands()
    attributes = Demands()

    @validates_schema
    def _has_one_deed(self, data: dict[str, Any], **_options: Any) -> None:
        deeds = [each for each in data if each != "attributes"]
        if len(deeds) != 1:
            message = "a fact has one of `add:`, `change:`, `remove:` and `say:`"
            raise ValidationError(message)
        if ("attributes" in data) > (deeds[0] in {"add", "change"}):
            raise ValidationError({"attributes": [f"do not go with `{deeds[0]}:`"]})
        if deeds[0] == "change" and "attributes" not in data:
            raise ValidationError({"attributes": [MISSING]})


class _ListsSchema(_Strict):
    who = Answers()
    what = Answers()
    actions = OneOrMany(Word(), error_messages={"null": "holds nothing; `[]` is for none"})


class _AnyCaseSchema(_Strict):
    """What every case may have."""

    via = _many(Word())
    said = fields.Nested(
        _WithSchema,
        data_key="with",
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing"},
    )
    everyone_else = Word()
    exhaustive = Truth()
    only_these_reasons = Truth()
    tags = _many(Word())
    skip = Word()
    examples = fields.Raw()  # they are written out before

    @validates("everyone_else")
    def _denies(self, value: str, **_options: Any) -> None:
        if value != "cannot":
            raise ValidationError("must be `cannot`: it says that nobody else can")


class _TableSchema(_AnyCaseSchema):
    on = _many(Entity(), required=True)
    table = fields.Raw(required=True, error_messages=_NEEDED)


class _CaseSchema(_AnyCaseSchema):
    who = _many(Entity())
    on = _many(Entity())
    can = _many(Word())
    cannot = _many(Refusal())
    because = _many(Word())
    missing = fields.List(
        fields.Nested(_FactSchema),
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing", "invalid": "must be a list of facts"},
    )
    lists = fields.Nested(
        _ListsSchema,
        validate=validate.Length(min=1, error="is empty"),
        error_messages={"null": "holds nothing"},
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _fits(self, _data: Any, case: Any, **_options: Any) -> None:
        messages = dict(_find_misfits(case)) if isinstance(case, dict) else {}
        if messages:
            raise ValidationError(messages)


class _Item(fields.Field[dict[str, Any]]):
    """A case, or a step."""

    default_error_messages: dict[str, Any] = {"null": "holds nothing"}  # noqa: RUF012  # as above

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, Any]:
        keys = set(value) if isinstance(value, dict) else set[str]()
        return dict(_find_schema(keys)().load(value))


def _find_misfits(case: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Find the keys of a case that lack another one, or have no use beside the others."""
    lists = case.get("lists")
    listed = {*lists} if isinstance(lists, dict) else set[str]()
    is_asked = "lists" not in case or not {"can", "cannot"}.isdisjoint(case)
    for key, found in (("who", "who"), ("on", "what")):
        is_needed = is_asked or bool(listed - {found})
        if is_needed and key not in case:
            yield key, [MISSING]
        elif not is_needed and key in case and listed:
            yield key, [f"is what `lists: {{{found}: ...}}` looks for; leave it out"]
    for key, other in (
        ("because", "can"),
        ("missing", "cannot"),
        ("only_these_reasons", "cannot"),
        ("everyone_else", "can"),
    ):
        if key in case and other not in case:
            yield key, [f"is said of what stands under `{other}:`, and there is none here"]


class _ScenarioSchema(_Strict):
    scenario = Word(required=True)
    source = Word(load_default="")
    fixture = Word(required=True)
    entities = fields.Raw(error_messages={"null": "holds nothing"})
    exhaustive = Truth(load_default=False)
    tags = _many(Word())
    skip = Word()
    examples = fields.Raw()  # they are written out before
    at = Time(load_default=None, allow_none=False, error_messages={"null": "holds nothing"})
    cases = fields.List(
        _Item(),
        required=True,
        validate=validate.Length(min=1, error="asks nothing; add a case"),
        error_messages={
            "required": MISSING,
            "null": "asks nothing; add a case",
            "invalid": "must be a list of cases, each with `who:`, `on:` and what they can",
        },
    )


# What the keys of an item have below them, where that is of one form.
_INNER: Final[dict[str, type[_Strict]]] = {
    "do": _DoSchema,
    "after": _AfterSchema,
    "lists": _ListsSchema,
    "missing": _FactSchema,
}


def load_shape(document: Value) -> dict[str, Any]:
    """Read a scenario file's values, each key with what it stands for.

    Raises:
        ScenarioError: with everything that does not fit.
    """
    try:
        return dict(_ScenarioSchema().load(to_plain(document)))
    except ValidationError as error:
        raise ScenarioError(_faults(document, error.normalized_messages())) from None


def find_places(
    document: Value, path: tuple[str | int, ...], loaded: Mapping[str, Any]
) -> Iterator[tuple[str, Place]]:
    """Find where a file says what comes with a request: each part and name with its place.

    Arguments:
        document: the file.
        path: leads to what has `via:` and `with:`.
        loaded: what stands there.
    """
    if "via" in loaded:
        yield f"context.{CHANNEL}", locate_key(document, (*path, "via"))
    for part, names in loaded.get("said", {}).items():
        for name in names:
            yield f"{part}.{name}", locate_key(document, (*path, "with", part, name))


def _faults(document: Value, messages: Any, path: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """Turn marshmallow's nested messages into faults with places."""
    if isinstance(messages, dict):
        for step, below in messages.items():
            # `_schema` is marshmallow's name for the mapping itself
            yield from _faults(document, below, path if step == "_schema" else (*path, step))
        return
    for message in messages:
        yield _fault(document, message, path)


def _fault(document: Value, message: str, path: tuple[str | int, ...]) -> Fault:
    place = locate(document, path)
    name = next((step for step in reversed(path) if isinstance(step, str)), "the file")
    if message == _UNKNOWN:
        known = _find_known(document, path)
        place = locate_key(document, path)
        if "denied" in known and name in _keys(_CaseSchema):
            message = f"a step has no `{name}:`; what is asked stands in a case of its own"
            return Fault(place, "unknown_key", message)
        return Fault(place, "unknown_key", f"there is no key `{name}`{suggest(name, known)}")
    if message == MISSING:
        return Fault(place, "missing_key", f"lacks `{name}:`")
    return Fault(place, "invalid_value", f"`{name}` {message}")


def _find_known(document: Value, path: tuple[str | int, ...]) -> list[str]:
    """Find the keys that there are where a path ends."""
    if "with" in path[:-1]:
        return list(PARTS)
    if "cases" not in path[:-1]:
        return _keys(_ScenarioSchema)
    item = follow(document, path[:2])
    keys = {key.text for key, _ in item.entries} if isinstance(item, Keys) else set[str]()
    schema = _find_schema(keys)
    inner = _INNER.get(str(path[2]))
    if inner and path[2:-1]:
        return _keys(inner)
    # what has no key of a step may have been meant as one
    return _keys(schema) if schema is not _CaseSchema else [*_keys(schema), _STEP, _TABLE]


def _find_schema(keys: set[str]) -> type[_Strict]:
    """Find whether something with these keys is a step, a table, or a case like most."""
    if keys.intersection(_keys(_StepSchema)):
        return _StepSchema
    return _TableSchema if "table" in keys else _CaseSchema


def _keys(schema: type[_Strict]) -> list[str]:
    """Find the keys that something can have."""
    declared = schema._declared_fields.items()  # noqa: SLF001  # marshmallow has no public name
    return [each.data_key or name for name, each in declared]
