"""Who may reach the service."""

from __future__ import annotations

import pytest

from authz_service.errors import SettingError
from authz_service.web.security import refuse_exposure


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_may_be_served(host: str) -> None:
    """An address that stays on this machine is fine."""
    refuse_exposure(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104  # the very thing that is refused
        "0",
        "::",
        "192.0.2.1",
        "2001:db8::1",
        "nobody.invalid",
    ],
)
def test_the_world_may_not_be_served(host: str) -> None:
    """Every other address is refused: all interfaces, a real one, a name that nobody knows."""
    with pytest.raises(SettingError) as caught:
        refuse_exposure(host)
    fault = caught.value.faults[0]

    assert ("host", "exposed_without_keys") == (fault.where.name, fault.code)


def test_the_refusal_says_what_to_do() -> None:
    """The message names the host, why it is refused, and what to serve on instead."""
    with pytest.raises(SettingError) as caught:
        refuse_exposure("192.0.2.1")
    expected = (
        "`192.0.2.1` can be reached from other machines, and no API key exists; serve on a "
        "loopback address such as 127.0.0.1"
    )

    assert expected == caught.value.faults[0].message
