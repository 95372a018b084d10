"""Policies, stores and questions that Hypothesis makes up, with every construct that is accepted.

Policies are put together from pieces that are right for their place, so nearly all of them pass the
checker; what they mean is left to chance. Attributes that may be nil are among the pieces wherever
they fit, and so is `not`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import peewee
from hypothesis import strategies as st

from authz_service.polar import syntax
from authz_service.polar.schema import BOOLEAN, INTEGER, STRING, Attribute
from authz_service.polar.traversal import find_nodes
from authz_service.policy.request import Said
from authz_service.store.domain import Domain
from authz_service.store.entity import ChoiceField, Entity, InstantField, Reference, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from authz_service.polar.syntax import Statement


class User(Entity):
    """Somebody who asks."""

    supplied = frozenset({"role"})

    name = peewee.TextField()
    role = ChoiceField("admin", "member")
    manager = peewee.ForeignKeyField("self", null=True, backref="reports")


class Folder(Entity):
    """Where records are."""

    keeper = peewee.ForeignKeyField(User, null=True, backref="folders")
    is_open = peewee.BooleanField()


class Record(Entity):
    """What is asked about; whatever can be unknown about it, is nullable."""

    supplied = frozenset({"status", "title", "size", "created"})

    status = ChoiceField("active", "archived")
    folder = peewee.ForeignKeyField(Folder, null=True, backref="records")
    owner = peewee.ForeignKeyField(User, null=True, backref="records")
    title = peewee.TextField(null=True)
    size = peewee.IntegerField(null=True)
    secret = peewee.BooleanField(null=True)
    created = InstantField(null=True)
    readers = peewee.ManyToManyField(User)


class Letter(Entity):
    """What is not stored: all that is known of it comes with the question."""

    stored = False

    title = peewee.TextField()
    size = peewee.IntegerField()
    secret = peewee.BooleanField()


DOMAIN: Final = Domain(
    name="generated records",
    models=(User, Folder, Record, Letter),
    subjects=frozenset({"user"}),
    actions={"record": ("read", "write"), "folder": ("open",), "letter": ("send",)},
    context=(Attribute("channel", STRING, nullable=True),),
    parameters=(
        Attribute("soft", BOOLEAN, nullable=True),
        Attribute("copies", INTEGER, nullable=True),
        Attribute("parts", STRING, many=True),
    ),
)

# Few values, so that they meet.
WORDS: Final = ("a", "b", "web")
NUMBERS: Final = (1, 2, 3)
LETTER: Final = Reference("letter", "unsent")
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
TIMES: Final = (NOON - timedelta(days=4), NOON, NOON + timedelta(days=27))

_OPERATORS: Final = ("=", "==", "!=")
_ORDERS: Final = ("<", "<=", ">", ">=")
_USERS: Final = (
    "request.subject",
    "record.owner",
    "record.owner.manager",
    "request.subject.manager",
    "record.folder.keeper",
)
_MOST_ATOMS: Final = 6
_MOST_RULES: Final = 3

_pick = st.sampled_from
_word = _pick([f'"{each}"' for each in WORDS])
_nothing = st.just("nil")
_literal_number = _pick([*map(str, NUMBERS), "2.0", "2.5"])
_user = _pick(_USERS)


@dataclass(frozen=True)
class Question:
    """One question about a store.

    Arguments:
        subject, action, resource: of the question.
        said: what is said with it.
    """

    subject: Reference
    action: str
    resource: Reference
    said: Said


@dataclass(frozen=True)
class Case:
    """A policy, the rows of a store, and what is said with each question."""

    policy: str
    rows: tuple[Row, ...]
    said: tuple[Said, ...]

    @property
    def questions(self) -> list[Question]:
        """Everything that can be asked: each user for each action on each thing."""
        stored = [row.reference for row in self.rows]
        return [
            Question(user, action, thing, said)
            for user in stored
            if user.type == "user"
            for thing in (*stored, LETTER)
            for action in DOMAIN.actions.get(thing.type, ())
            for said in self.said
        ]


def cases() -> st.SearchStrategy[Case]:
    """Make up policies, each with a store and with what callers say."""
    return st.builds(Case, policies(), stores(), st.tuples(_said()))


def policies() -> st.SearchStrategy[str]:
    """Make up policies of either shape, or with roles in blocks."""
    return st.one_of(_permits_and_forbids(), _allows(), _blocks())


def stores() -> st.SearchStrategy[tuple[Row, ...]]:
    """Make up two users, a folder and two records."""
    users, records = ("alice", "bob"), ("report", "note")
    return st.builds(
        lambda first, second, folder, *others: (first, second, folder, *others),
        _user_row("alice", ()),
        _user_row("bob", ("alice",)),
        _folder_row("drawer", users),
        *(_record_row(each, users, "drawer") for each in records),
    )


def constructs_of(statements: Iterable[Statement]) -> Counter[str]:
    """Count the constructs in what our own reader made of a policy."""
    nodes = find_nodes(tuple(statements))
    return Counter(name for node in nodes for name in (_name(node), *_find_details(node)))


def _find_details(node: syntax.Node) -> Iterator[str]:
    """Find what is worth a name of its own, beside that of the whole."""
    match node:
        case syntax.TypePattern():
            yield from (f"{type(value).__name__} in a pattern" for _, value in node.fields)
        case syntax.Parameter(term=syntax.Constant()):
            yield "constant as a parameter"
        case syntax.Parameter(pattern=syntax.TypePattern(fields=(_, *_))):
            yield "specializer with fields"
        case syntax.Comparison(operator="=", left=syntax.Variable(), right=syntax.Path()):
            yield "variable that gets a value"
        case syntax.Membership(item=syntax.Variable(name=name)) if name != "record":
            yield "variable for each of several"


def _name(node: syntax.Node) -> str:  # noqa: PLR0911  # one for each construct
    match node:
        case syntax.Comparison():
            return node.operator
        case syntax.Constant():
            return f"constant {type(node.value).__name__}"
        case syntax.TypePattern():
            what = "fields" if node.fields else "type"
            return f"pattern of {what}{'' if node.type_name else ' alone'}"
        case syntax.Membership():
            return "in list" if isinstance(node.collection, syntax.ListTerm) else "in relation"
        case syntax.Path():
            return "path" if len(node.attributes) == 1 else "path of several"
        case syntax.Block():
            return f"{node.kind} block"
        case syntax.Shorthand():
            return "shorthand on a relation" if node.relation else "shorthand"
        case syntax.Declaration():
            return node.kind
        case syntax.Rule(body=syntax.And(conditions=())):
            return "fact"
        case _:
            return type(node).__name__


# What the policies that are made up have to use, all of it.
CONSTRUCTS: Final = frozenset(
    {
        *_OPERATORS,
        *_ORDERS,
        "And",
        "Or",
        "Not",
        "ForAll",
        "Call",
        "Match",
        "in list",
        "in relation",
        "path",
        "path of several",
        "ListTerm",
        "pattern of type",
        "pattern of fields",
        "pattern of fields alone",
        "Constant in a pattern",
        "Variable in a pattern",
        "TypePattern in a pattern",
        "constant as a parameter",
        "specializer with fields",
        "variable that gets a value",
        "variable for each of several",
        "constant str",
        "constant int",
        "constant float",
        "constant bool",
        "constant NoneType",
        "Rule",
        "fact",
        "RuleType",
        "Query",
        "actor block",
        "resource block",
        "roles",
        "permissions",
        "Relation",
        "shorthand",
        "shorthand on a relation",
    }
)


@cache
def _conditions() -> st.SearchStrategy[str]:
    """Make up conditions on `request` and `record`."""
    return st.recursive(
        _atoms(),
        lambda inner: st.one_of(
            st.builds("not ({})".format, inner),
            st.builds("({} and {})".format, inner, inner),
            st.builds("({} or {})".format, inner, inner),
        ),
        max_leaves=_MOST_ATOMS,
    )


def _atoms() -> st.SearchStrategy[str]:
    return st.one_of(
        _comparisons(),
        _memberships(),
        _matches(),
        _quantified(),
        _bindings(),
        st.just("is_known(request.subject, request, record)"),
        st.just("is_word(record.title)"),
    )


def _comparisons() -> st.SearchStrategy[str]:
    title = _pick(["record.title", "request.subject.name", "record.owner.name"])
    size, secret = st.just("record.size"), st.just("record.secret")
    same, order = _pick(_OPERATORS), _pick(_ORDERS)
    compare = "{} {} {}".format
    return st.one_of(
        st.builds(compare, title, same, st.one_of(_word, _nothing, st.just("request.channel"))),
        st.builds(compare, title, order, st.one_of(_word, st.just("request.channel"))),
        st.builds(compare, size, same, st.one_of(_literal_number, _nothing)),
        st.builds(compare, size, _pick([*_OPERATORS, *_ORDERS]), st.just("request.copies")),
        st.builds(compare, size, order, _literal_number),
        st.builds(compare, secret, same, _pick(["true", "false", "nil", "request.soft"])),
        st.builds(compare, st.just("record.created"), order, st.just("request.now")),
        st.builds(compare, st.just("record.created"), _pick(["=", "!="]), st.just("request.now")),
        st.builds(compare, st.just("record.status"), same, _pick(['"active"', '"archived"'])),
        st.builds(compare, st.just("record.owner.role"), same, _pick(['"admin"', '"member"'])),
        st.builds(compare, st.just("record.folder.is_open"), same, _pick(["true", "false"])),
        st.builds(compare, _user, _pick(["=", "!="]), st.one_of(_user, _nothing)),
    )


def _memberships() -> st.SearchStrategy[str]:
    listed = st.lists(st.one_of(_word, _nothing), max_size=3).map(", ".join)
    return st.one_of(
        st.builds("{} in record.readers".format, _user),
        st.builds("{} in {}.reports".format, _user, _user),
        st.builds("record in {}.records".format, _user),
        st.builds("record.title in [{}]".format, listed),
        st.builds("request.channel in [{}, record.title]".format, _word),
        st.builds("{} in request.parts".format, st.one_of(_word, st.just("record.title"))),
    )


def _matches() -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} matches User".format, _user),
        st.builds("{} matches User{{name: {}}}".format, _user, _word),
        st.builds('record matches {{status: "{}"}}'.format, _pick(["active", "archived"])),
        st.builds("record matches Record{{size: {}, title: {}}}".format, _literal_number, _word),
        st.just("record matches Record{owner: nil}"),
        st.builds("record matches Record{{owner: User{{name: {}}}}}".format, _word),
        st.builds(
            "record matches {{owner: one}} and one.manager {} nil".format, _pick(["=", "!="])
        ),
    )


def _bindings() -> st.SearchStrategy[str]:
    """Make up variables that get their values in the rule itself."""
    return st.one_of(
        st.builds('(other = {} and other.role {} "admin")'.format, _user, _pick(_OPERATORS)),
        st.builds("(word in [{}, {}] and record.title = word)".format, _word, _nothing),
        st.builds("(given in request.parts and given {} record.title)".format, _pick(_OPERATORS)),
        st.just("(title = record.title and is_word(title))"),
        st.just("(is_word(some) and some = record.title)"),
    )


def _quantified() -> st.SearchStrategy[str]:
    """Make up what is so of some, or of all, of a collection."""
    collection = _pick(["record.readers", "request.subject.reports", "record.owner.reports"])
    about = st.one_of(
        st.builds('one.role {} "admin"'.format, _pick(_OPERATORS)),
        st.builds("one {} {}".format, _pick(["=", "!="]), _user),
        st.builds("one.manager {} nil".format, _pick(["=", "!="])),
        st.just("one in record.readers"),
        st.just("record in one.records"),
    )
    return st.one_of(
        st.builds("(one in {} and {})".format, collection, about),
        st.builds("not (one in {} and {})".format, collection, about),
        st.builds("forall(one in {}, {})".format, collection, about),
    )


def _rules(head: str, most: int = _MOST_RULES) -> st.SearchStrategy[str]:
    rule = _conditions().map(lambda condition: f"{head} if {_use_all(condition)};")
    return st.lists(rule, min_size=1, max_size=most).map("\n".join)


def _use_all(condition: str) -> str:
    """Use each variable of a head twice at least: one that is used once is refused."""
    return f"request = request and record = record and {condition}"


def _helpers() -> st.SearchStrategy[str]:
    """Make up the rules that conditions ask for: facts, several clauses, specializers, a type."""
    known = st.one_of(
        st.just("is_known(user: User, _: Request, record: Record) if user = record.owner"),
        st.builds(
            "is_known(user: User{{name: {}}}, _: Request, record: Record) if"
            " user in record.readers".format,
            _word,
        ),
        st.builds(
            'is_known(_: User, request: Request, _: {{title: {}, status: "active"}}) if'
            " request.channel != {}".format,
            _word,
            st.one_of(_word, _nothing),
        ),
        st.builds(
            "is_known(user: User, _: Request{{channel: {}}}, record: Record) if"
            " not user = record.owner.manager".format,
            st.one_of(_word, _nothing),
        ),
    )
    words = st.lists(_pick([*WORDS, "z"]), min_size=1, max_size=2, unique=True)
    facts = words.map(
        lambda found: (
            "\n".join(f'is_word("{each}");' for each in found) + f'\n?= is_word("{found[0]}");\n'
        )
    )
    kind = _pick(["", "type is_known(user: User, request, record);\n"])
    rules = st.lists(known, min_size=1, max_size=2).map(lambda found: ";\n".join(found) + ";\n")
    return st.builds("{}{}{}".format, kind, rules, facts)


_USUAL: Final = """allow(request: Request, action: String, resource) if
    permit(request.subject, action, resource) and
    not forbid(_reason, request, action, resource);
"""


def _letters(head: str) -> st.SearchStrategy[str]:
    """Make up a rule about what is not stored, with the name `user` for who asks."""
    compare = "letter.{} {} {}".format
    same = _pick(_OPERATORS)
    atoms = st.one_of(
        st.builds(compare, st.just("title"), same, st.one_of(_word, _nothing)),
        st.builds(compare, st.just("title"), same, _pick(["user.name", "user.role"])),
        st.builds(compare, st.just("size"), _pick([*_OPERATORS, *_ORDERS]), _literal_number),
        st.builds(compare, st.just("secret"), same, _pick(["true", "false", "nil"])),
        st.builds("letter matches {{title: {}, secret: false}}".format, _word),
        st.builds("(record in user.records and record.title {} letter.title)".format, same),
    )
    condition = st.one_of(
        atoms,
        st.builds("not ({})".format, atoms),
        st.builds("({} and not ({} or {}))".format, atoms, atoms, atoms),
    )
    return condition.map(lambda found: f"{head} if user = user and letter = letter and {found};\n")


_FOLDERS: Final = 'permit(user: User, "open", folder: Folder) if user = folder.keeper;\n'


def _permits_and_forbids() -> st.SearchStrategy[str]:
    permit = "permit(subject: User, action: String, record: Record) if"
    condition = _conditions().filter(lambda text: "request" not in text)
    own = st.builds(
        f"{permit} action in [{{}}] and subject = subject and record = record and {{}};".format,
        _pick(['"read"', '"write"', '"read", "write"']),
        st.one_of(
            condition,
            st.just("subject = record.owner"),
            st.just("subject in record.readers"),
            st.just('subject.role = "admin"'),
        ),
    )
    forbid = 'forbid("{code}", request: Request, {action}, record: Record)'
    heads = [
        forbid.format(code=code, action=action)
        for code in ("red", "blue")
        for action in ('"read"', '"write"', "_action: String")
    ]
    return st.builds(
        "{}{}{}{}\n{}\n{}\n{}".format,
        st.just(_USUAL),
        st.just(_FOLDERS),
        _letters('permit(user: User, "send", letter: Letter)'),
        st.lists(own, min_size=1, max_size=2).map("\n".join),
        st.one_of(*map(_rules, heads)),
        st.just('reason("red", "it is red");'),
        _helpers(),
    )


def _allows() -> st.SearchStrategy[str]:
    return st.builds(
        "{}\n{}\n{}\n{}{}".format,
        _rules('allow(request: Request, "read", record: Record)'),
        _rules('allow(request: Request, "write", record: Record{status: "active"})', 1),
        st.just('allow(request, "open", _: Folder{keeper: user}) if request.subject = user;'),
        _letters('allow(_: Request{subject: user}, "send", letter: Letter)'),
        _helpers(),
    )


def _blocks() -> st.SearchStrategy[str]:
    shorthand = _pick(
        [
            '"writer" if "keeper";',
            '"writer" if "boss" on "place";',
            '"reader" if "boss" on "place";',
            '"write" if "owner";',
            '"read" if "owner";',
        ]
    )
    blocks = """allow(request: Request, action: String, resource) if
    {condition} and has_permission(request.subject, action, resource);
actor User {{}}
resource Folder {{
    roles = ["boss"];
    permissions = ["open"];
    "open" if "boss";
}}
resource Letter {{
    permissions = ["send"];
}}
resource Record {{
    roles = ["reader", "writer", "keeper"];
    permissions = ["read", "write"];
    relations = {{ owner: User, place: Folder }};
    "read" if "reader";
    "write" if "writer";
    "reader" if "writer";
    {shorthands}
}}
has_role(user: User, "boss", folder: Folder) if user = folder.keeper;
has_role(user: User, "keeper", record: Record) if user = record.folder.keeper;
has_role(user: User, "writer", record: Record) if user = record.owner.manager;
has_role(user: User, "reader", record: Record) if user in record.readers and {extra};
has_relation(user: User, "owner", record: Record) if user = record.owner;
has_relation(folder: Folder, "place", record: Record) if folder = record.folder;
"""
    extra = _conditions().filter(lambda text: "request" not in text)
    condition = _pick(['request.channel != "b"', "request.copies = nil", "not request.soft = true"])
    return st.builds(
        lambda letters, first, some, last, helpers: (
            blocks.format(condition=first, shorthands="\n    ".join(some), extra=last)
            + letters
            + helpers
        ),
        _letters('has_permission(user: User, "send", letter: Letter)'),
        condition,
        st.lists(shorthand, min_size=1, max_size=3, unique=True),
        extra,
        _helpers(),
    )


def _said() -> st.SearchStrategy[Said]:
    return st.builds(
        Said,
        context=st.fixed_dictionaries({"channel": _maybe(WORDS)}),
        subject=st.fixed_dictionaries({}, optional={"role": _pick(["admin", "member", "x"])}),
        action=st.fixed_dictionaries(
            {
                "soft": _maybe((True, False)),
                "copies": _maybe(NUMBERS),
                "parts": st.lists(_pick(WORDS), max_size=2),
            }
        ),
        resource=st.fixed_dictionaries(
            {},
            optional={
                "status": _pick(["active", "archived"]),
                "title": _pick(WORDS),
                "size": _pick(NUMBERS),
                "secret": st.booleans(),  # of a record, what is stored counts
                "created": _pick(TIMES).map(lambda time: f"{time:%Y-%m-%dT%H:%M:%SZ}"),
            },
        ),
    )


def _user_row(key: str, managers: tuple[str, ...]) -> st.SearchStrategy[Row]:
    values = {"name": _pick(WORDS), "role": _pick(["admin", "member"]), "manager": _maybe(managers)}
    return _row("user", key, values)


def _folder_row(key: str, keepers: tuple[str, ...]) -> st.SearchStrategy[Row]:
    return _row("folder", key, {"keeper": _maybe(keepers), "is_open": st.booleans()})


def _record_row(key: str, users: tuple[str, ...], folder: str) -> st.SearchStrategy[Row]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "status": _pick(["active", "archived"]),
        "folder": _maybe((folder,)),
        "owner": _maybe(users),
        "title": _maybe(WORDS),
        "size": _maybe(NUMBERS),
        "secret": _maybe((True, False)),
        "created": _maybe(TIMES),
        "readers": st.lists(_pick(users), max_size=2, unique=True).map(tuple),
    }
    return _row("record", key, values)


def _row(kind: str, key: str, values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(values).map(lambda found: Row(Reference(kind, key), found))


def _maybe(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), _pick(values)) if values else st.none()
