"""The order of the keys in scenarios: that of their schema."""

from __future__ import annotations

import pytest

from authz_service.scenario.key_order import KeyOrder


@pytest.mark.parametrize(
    ("path", "names", "expected"),
    [
        ((), "cases at scenario fixture", "scenario fixture at cases"),
        (("cases", 0), "can cannot who via on", "who on via can cannot"),
        (("cases", 1), "informs do changes after", "do after changes informs"),
        (("cases", 1, "do"), "via on action who", "who action on via"),
        (("cases", 1, "after"), "seconds days", "days seconds"),
        (("cases", 0, "with"), "context resource subject", "subject resource context"),
    ],
)
def test_keys_stand_as_the_schema_has_them(
    path: tuple[str | int, ...], names: str, expected: str
) -> None:
    """In each mapping that it describes, whether that is a case or a step."""
    assert expected.split() == KeyOrder().sort(path, names.split())


def test_what_the_schema_does_not_name_comes_last() -> None:
    """As it was: a mistake is not made worse."""
    assert ["who", "can", "whose", "cann"] == KeyOrder().sort(
        ("cases", 0), ["whose", "can", "cann", "who"]
    )


@pytest.mark.parametrize("path", [("cases", 0, "with", "action"), ("cases", 0, "changes")])
def test_names_of_others_stay_as_they_are(path: tuple[str | int, ...]) -> None:
    """Attributes and entities have no order."""
    assert ["who", "cases", "can"] == KeyOrder().sort(path, ["who", "cases", "can"])


def test_a_file_with_a_key_of_scenarios_is_one() -> None:
    """One that lacks others is a scenario that is not complete."""
    assert KeyOrder().is_scenario(["cases"])
    assert not KeyOrder().is_scenario(["person", "customer"])
