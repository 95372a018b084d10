"""Rules into clauses: a policy is tried on a question whose entities are not known yet.

A question is a type of subject, an action and a type of resource. Resolving `allow` for it goes
through the rules as Polar does, depth first, but with places instead of values: the subject is a
row of its type, `subscription.customer` is the column that refers to the customer, and
`request.channel` is something that will be given. What is known at once is decided at once: the
action is a word, so a rule for another action is left; a parameter `customer: Customer` is never a
subscription. What is not known becomes a condition, and the search goes on as if it held:

- `=` gives a variable without a value its value, and compares everything else. Entities compare by
  their ids.
- an attribute behind a reference joins the row that the reference leads to. Where there is none,
  nothing is so.
- `x in entity.collection` and `x in request.list` add a row that must exist.
- each rule that may apply, each branch of `or`, and each item of a written list goes its own way.
- `not` resolves its condition into clauses of its own, none of which may hold; rows that they add
  are theirs alone. `forall(c, a)` is `not (c and not a)`.

Each way that reaches the end is a clause. An example: of

    allow(request: Request, action: String, resource) if
        permit(request.subject, action, resource) and
        not forbid(_reason, request, action, resource);
    permit(person: Person, "pay", bill: Bill) if administers(person, bill.customer);
    forbid("paid", _request: Request, "pay", bill: Bill) if bill.paid = true;
    administers(person: Person, customer: Customer) if
        membership in person.memberships and membership.customer = customer and
        membership.role in ["administrator", "access_owner"];

and the question (person, pay, bill) comes one clause: there is a membership with
`membership.person = subject`, `membership.customer = resource.customer` and `membership.role` one
of two words, and the clause `resource.paid = true` does not hold. It came by the rules `allow`,
`permit` and `administers`, and what it excludes by `forbid`.

A rule reached again while it is being resolved would never end and is refused, and so is a question
that has very many clauses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from authz_service.errors import suggest
from authz_service.polar import syntax
from authz_service.policy.clauses import (
    RESOURCE,
    SUBJECT,
    Absent,
    Alias,
    Literal,
    Step,
    leave_distinct,
)
from authz_service.policy.rules import Rules
from authz_service.policy.semantics import Semantics
from authz_service.policy.symbols import (
    SUBJECT_VARIABLE,
    Collection,
    Entity,
    Frame,
    GivenItems,
    Items,
    RequestValue,
    State,
    id_of,
    refuse,
    too_deep,
    too_many,
)
from authz_service.policy.unifier import Unifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from authz_service.polar.schema import Schema
    from authz_service.polar.syntax import Span
    from authz_service.policy.clauses import Clause
    from authz_service.policy.symbols import Value

# What the databases still take as one statement.
MOST_CLAUSES: Final = 400
_MOST_ROWS: Final = 50
_MOST_NEGATIONS: Final = 20
_MOST_STEPS: Final = 100_000
_MOST_DEEP: Final = 100


class Resolver:
    """Resolves the questions of one policy.

    Arguments:
        statements: all statements of all files.
        schema: the types and the request.
        references: for each derived collection, as type and attribute, the attribute of its
            entities that refers to the owner.
    """

    def __init__(
        self,
        statements: Iterable[syntax.Statement],
        schema: Schema,
        references: Mapping[tuple[str, str], str],
    ) -> None:
        statements = tuple(statements)
        self._rules = Rules(statements)
        self._class_names = {name: each.class_name for name, each in schema.types.items()}
        self._semantics = Semantics(schema)
        self._unifier = Unifier(self._semantics, schema, references, statements)
        self._steps = 0

    def has_rule(self, name: str, arity: int) -> bool:
        """Tell whether there is a rule of a name, with as many parameters."""
        return self._rules.has(name, arity)

    def is_split(self, resource: str) -> bool:
        """Tell whether a type of resource is allowed when permitted and not forbidden."""
        return self._rules.are_split(self._class_names[resource], self._class_names.values())

    def allow(self, subject: str, action: str, resource: str) -> tuple[Clause, ...]:
        """Find when a subject may do something.

        Raises:
            PolicyError: when the policy is not one that can be resolved.
        """
        asked = (RequestValue(), Literal.of(action), _row(RESOURCE, resource))
        return self._collect("allow", asked, subject)

    def permit(self, subject: str, action: str, resource: str) -> tuple[Clause, ...]:
        """Find when something is permitted, whatever forbids it; raises as above."""
        asked = (_row(SUBJECT, subject), Literal.of(action), _row(RESOURCE, resource))
        return self._collect("permit", asked, subject)

    def forbid(self, subject: str, action: str, resource: str) -> dict[str, tuple[Clause, ...]]:
        """Find when something is forbidden, by reason.

        Raises:
            PolicyError: as above, and when a rule leaves its reason open.
        """
        reason = self._unifier.make_variable()
        asked = (reason, RequestValue(), Literal.of(action), _row(RESOURCE, resource))
        found: dict[str, list[Clause]] = {}
        for state in self._ask("forbid", asked, subject):
            code = state.walk(reason)
            if not isinstance(code, Literal) or not isinstance(code.value, str):
                message = "a `forbid` rule gives no reason; its first argument must be text"
                raise refuse(state.rules[0].span, "no_reason", message)
            found.setdefault(code.value, []).append(state.close())
        return {code: leave_distinct(clauses) for code, clauses in sorted(found.items())}

    def holds(self, condition: syntax.Term) -> bool:
        """Tell whether the policy alone says that a condition holds; raises as above."""
        self._steps = 0
        try:
            found = list(self._limit(self._solve(condition, Frame(), State()), condition.span))
        except RecursionError:
            raise too_deep(condition.span) from None
        if found and not any(each.is_decided for each in found):
            message = "rests on what is not known before it is asked; name it in the query"
            raise refuse(condition.span, "undecided_query", message)
        return bool(found)

    def messages(self) -> dict[str, str]:
        """Find what `reason(code, message)` facts say."""
        code, message = self._unifier.make_variable(), self._unifier.make_variable()
        found: dict[str, str] = {}
        for state in self._ask("reason", (code, message), ""):
            said = [state.walk(each) for each in (code, message)]
            texts = [each.value for each in said if isinstance(each, Literal)]
            if len(texts) == len(said) and all(isinstance(each, str) for each in texts):
                found[str(texts[0])] = str(texts[1])
        return found

    def _collect(self, name: str, asked: tuple[Value, ...], subject: str) -> tuple[Clause, ...]:
        return leave_distinct(state.close() for state in self._ask(name, asked, subject))

    def _ask(self, name: str, asked: tuple[Value, ...], subject: str) -> Iterator[State]:
        self._steps = 0
        rules = self._rules.find(name, asked)
        if not rules:
            return
        state = State().bind(SUBJECT_VARIABLE, _row(SUBJECT, subject)) if subject else State()
        _, first = rules[0]
        try:
            found = self._apply(name, asked, first.span, Frame(), state)
            yield from self._limit(found, first.span)
        except RecursionError:
            raise too_deep(first.span) from None

    def _limit(self, states: Iterable[State], span: Span) -> Iterator[State]:
        for number, state in enumerate(states):
            conditions, rows = len(state.conditions), len(state.sources)
            if max(number, conditions) >= MOST_CLAUSES or rows > _MOST_ROWS:
                raise too_many(span)
            yield state

    def _apply(
        self, name: str, asked: tuple[Value, ...], span: Span, frame: Frame, state: State
    ) -> Iterator[State]:
        """Go through every rule of a name that its parameters let in."""
        if not self._rules.has(name, len(asked)):
            nearest = suggest(name, self._rules.names)
            message = f"there is no rule `{name}` with {len(asked)} parameters{nearest}"
            raise refuse(span, "unknown_rule", message)
        for number, rule in self._rules.find(name, asked):
            inner = Frame((*frame.rules, number))
            entered: State | None = state
            for parameter, value in zip(rule.parameters, asked, strict=True):
                found = entered and self._enter(parameter, value, inner, entered)
                entered = found and entered and found.place(parameter.span, entered)
            if entered is None:
                continue
            if len(frame.rules) > _MOST_DEEP:
                raise too_deep(rule.span)
            if number in frame.rules:
                message = f"`{name}` asks for itself, so it has no end; say it without"
                raise refuse(rule.span, "recursion", message)
            step = Step(name, rule.span)
            entered = replace(entered, rules=(*entered.rules, step))
            yield from self._solve(rule.body, inner, entered)

    def _enter(
        self, parameter: syntax.Parameter, value: Value, frame: Frame, state: State
    ) -> State | None:
        if parameter.pattern is not None:
            found = self._unifier.match(value, parameter.pattern, frame, state)
            if found is None:
                return None
            state = found
        term = parameter.term
        if isinstance(term, syntax.Variable) and term.name not in frame.variables:
            if term.name != "_":
                frame.variables[term.name] = value
            return state
        own, state = self._unifier.plain(term, frame, state)
        return self._unifier.unify(own, value, parameter.span, state)

    def _solve(self, term: syntax.Term, frame: Frame, state: State) -> Iterator[State]:
        """Find all ways in which a condition can hold."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise too_many(term.span)
        match term:
            case syntax.And():
                yield from self._all(term.conditions, frame, state)
            case syntax.Or():
                for each in term.conditions:
                    yield from self._solve(each, frame, state)
            case syntax.Not():
                yield from self._solve_not(term, frame, state)
            case syntax.ForAll():
                yield from self._solve_not(term.negated, frame, state)
            case syntax.Call():
                for found in self._call(term, frame, state):
                    yield found.place(term.span, state, is_call=True)
            case _:
                for found in self._solve_plain(term, frame, state):
                    yield found.place(term.span, state)

    def _solve_plain(self, term: syntax.Term, frame: Frame, state: State) -> Iterator[State]:
        """Find the same of a condition that has no others in it."""
        match term:
            case syntax.Membership():
                return self._solve_in(term, frame, state)
            case syntax.Comparison():
                return self._compare(term, frame, state)
            case syntax.Match():
                return self._solve_match(term, frame, state)
            case _:
                return self._solve_value(term, frame, state)

    def _solve_value(self, term: syntax.Term, frame: Frame, state: State) -> Iterator[State]:
        """Take a value for a condition, which Polar does with `true` and `false` only."""
        found = self._evaluate(term, frame, state)
        if found is None:
            return
        value = found[1].walk(found[0])
        if not self._semantics.is_truth(value):
            message = "only `true` or `false` is a condition, and this may be something else; "
            raise refuse(term.span, "no_condition", f"{message}compare it, as in `= true`")
        truth = self._unifier.unify(value, Literal.of(True), term.span, found[1])  # a value
        if truth is not None:
            yield truth

    def _all(
        self, conditions: tuple[syntax.Term, ...], frame: Frame, state: State
    ) -> Iterator[State]:
        """Find all ways in which conditions hold together, each after those before it."""
        ways = [iter((state,))]
        while ways:
            found = next(ways[-1], None)
            if found is None:
                ways.pop()
            elif len(ways) > len(conditions):
                yield found
            else:
                ways.append(self._solve(conditions[len(ways) - 1], frame, found))

    def _solve_not(self, term: syntax.Not, frame: Frame, state: State) -> Iterator[State]:
        if state.level >= _MOST_NEGATIONS:
            raise too_deep(term.span)
        inside = self._limit(self._solve(term.condition, frame, state.enter_not()), term.span)
        clauses = leave_distinct(each.close() for each in inside)
        if not any(clause.always for clause in clauses):
            yield state.require(*(Absent(clause) for clause in clauses))

    def _call(self, term: syntax.Call, frame: Frame, state: State) -> Iterator[State]:
        values: list[Value] = []
        for each in term.arguments:
            found = self._evaluate(each, frame, state)
            if found is None:
                return
            value, state = found
            values.append(state.walk(value))
        yield from self._apply(term.name, tuple(values), term.span, frame, state)

    def _compare(self, term: syntax.Comparison, frame: Frame, state: State) -> Iterator[State]:
        left = self._evaluate(term.left, frame, state)
        right = left and self._evaluate(term.right, frame, left[1])
        if left is None or right is None:
            return
        first, (second, state) = left[0], right
        if term.operator == "=":
            found = self._unifier.unify(first, second, term.span, state)
        else:
            holds = self._semantics.hold(term, state.walk(first), state.walk(second))
            found = None if holds is None else state.require(*holds)
        if found is not None:
            yield found

    def _solve_match(self, term: syntax.Match, frame: Frame, state: State) -> Iterator[State]:
        found = self._evaluate(term.value, frame, state)
        matched = found and self._unifier.match(found[0], term.pattern, frame, found[1])
        if matched is not None:
            yield matched

    def _evaluate(
        self, term: syntax.Term, frame: Frame, state: State
    ) -> tuple[Value, State] | None:
        """Find the value of a term; None when it has none, being an attribute of nothing."""
        match term:
            case syntax.Path():
                found = self._evaluate(term.base, frame, state)
                for name in term.attributes:
                    found = found and self._semantics.look_up(found[0], name, term.span, found[1])
                return found
            case syntax.ListTerm():
                values: list[Value] = []
                for each in term.items:
                    item = self._evaluate(each, frame, state)
                    if item is None:
                        return None
                    values.append(item[0])
                    state = item[1]
                return Items(tuple(values)), state
            case _:
                return self._unifier.plain(term, frame, state)

    def _solve_in(self, term: syntax.Membership, frame: Frame, state: State) -> Iterator[State]:
        left = self._evaluate(term.item, frame, state)
        right = left and self._evaluate(term.collection, frame, left[1])
        if left is None or right is None:
            return
        item, (collection, state) = left[0], right
        item, collection = state.walk(item), state.walk(collection)
        found: Any
        match collection:
            case Items():
                yield from self._solve_in_items(item, collection.values, term.span, state)
                return
            case GivenItems():
                found = self._unifier.in_given(item, collection, term.span, state)
            case Collection() if collection.attribute.derived:
                found = self._unifier.in_derived(item, collection, state)
            case Collection():
                found = self._unifier.in_linked(item, collection, term.span, state)
            case _:
                message = "`in` needs a list or a collection on its right"
                raise refuse(term.collection.span, "no_collection", message)
        if found is not None:
            yield found

    def _solve_in_items(
        self, item: Value, values: tuple[Value, ...], span: Span, state: State
    ) -> Iterator[State]:
        values = tuple(state.walk(each) for each in values)
        single = self._semantics.among(item, values)
        if single:
            if single.values:
                yield state.require(single)
            return
        for each in values:
            found = self._unifier.unify(item, each, span, state)
            if found is not None:
                yield found


def _row(name: str, type_name: str) -> Entity:
    return Entity(id_of(Alias(name, type_name)))
