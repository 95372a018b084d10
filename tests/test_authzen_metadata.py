"""What the service says about itself, by section 9 of the AuthZEN Authorization API 1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from portal_service import (
    EVALUATION,
    EVALUATIONS,
    MARY_SEES_USAGE,
    METADATA,
    ask,
    call,
    open_client,
)

if TYPE_CHECKING:
    from portal_service import Answer

HOST: Final = "https://pdp.example"
TENANT: Final = "https://pdp.example/t1"
DEEP: Final = "https://pdp.example:8443/eu/t1"

# Where AuthZEN puts it, the path after the well-known part, and where some clients look.
PLACES: Final = [
    pytest.param("", METADATA, id="no-public-url"),
    pytest.param(HOST, METADATA, id="no-path"),
    pytest.param(TENANT, f"{METADATA}/t1", id="tenant-behind"),
    pytest.param(TENANT, f"/t1{METADATA}", id="tenant-in-front"),
    pytest.param(TENANT, METADATA, id="tenant-stripped"),
    pytest.param(DEEP, f"{METADATA}/eu/t1", id="deep-behind"),
    pytest.param(DEEP, f"/eu/t1{METADATA}", id="deep-in-front"),
]
URLS: Final = [
    pytest.param("", "http://127.0.0.1:8080", id="no-public-url"),
    pytest.param(HOST, HOST, id="no-path"),
    pytest.param(TENANT, TENANT, id="tenant"),
    pytest.param(DEEP, DEEP, id="deep"),
]


def get_metadata(public_url: str, path: str = METADATA) -> Answer:
    """Ask a service that is known by a URL what it is."""
    with open_client(public_url=public_url) as client:
        return call(client, "GET", path)


@pytest.mark.parametrize(("public_url", "path"), PLACES)
def test_it_is_an_object_at_the_well_known_place(public_url: str, path: str) -> None:
    """It is served as a JSON object, at the well-known part with the path behind or in front."""
    answer = get_metadata(public_url, path)

    assert (200, "application/json") == (answer.status, answer.headers["content-type"])
    assert isinstance(answer.data, dict)


@pytest.mark.parametrize(("public_url", "path"), PLACES)
def test_it_is_the_same_everywhere(public_url: str, path: str) -> None:
    """Wherever it is found, it says the same."""
    assert get_metadata(public_url).data == get_metadata(public_url, path).data


@pytest.mark.parametrize(("public_url", "expected"), URLS)
def test_it_names_the_service_exactly_as_callers_know_it(public_url: str, expected: str) -> None:
    """`policy_decision_point` is the configured URL, to the letter: no slash is added."""
    assert expected == get_metadata(public_url).data["policy_decision_point"]


@pytest.mark.parametrize(("public_url", "base"), URLS)
def test_it_lists_the_endpoints_that_exist_and_nothing_else(public_url: str, base: str) -> None:
    """The required members are there, the endpoints have their full URLs, no member is empty."""
    expected = {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        "search_subject_endpoint": f"{base}/access/v1/search/subject",
        "search_resource_endpoint": f"{base}/access/v1/search/resource",
        "search_action_endpoint": f"{base}/access/v1/search/action",
    }

    assert expected == get_metadata(public_url).data


@pytest.mark.parametrize("public_url", [HOST, TENANT, DEEP])
def test_every_url_is_https(public_url: str) -> None:
    """A public URL is https, and so is everything that is built from it."""
    urls = get_metadata(public_url).data.values()

    assert all(url.startswith("https://") for url in urls)


@pytest.mark.parametrize("public_url", ["", HOST, TENANT, DEEP])
def test_no_member_is_empty(public_url: str) -> None:
    """Members without a value are left out: there is no null, no empty text, no empty list."""
    assert all(get_metadata(public_url).data.values())


@pytest.mark.parametrize("public_url", ["", HOST, TENANT, DEEP])
def test_capabilities_are_left_out_while_there_are_none(public_url: str) -> None:
    """`capabilities`, if ever given, is a list of texts; there is none to list."""
    assert "capabilities" not in get_metadata(public_url).data


@pytest.mark.parametrize(("public_url", "base"), URLS)
@pytest.mark.parametrize(
    "endpoint",
    [
        "access_evaluation_endpoint",
        "access_evaluations_endpoint",
        "search_subject_endpoint",
        "search_resource_endpoint",
        "search_action_endpoint",
    ],
)
def test_the_endpoints_answer_where_it_says(public_url: str, base: str, endpoint: str) -> None:
    """Each listed endpoint answers, whether a proxy passes the path on or strips it."""
    with open_client(public_url=public_url) as client:
        listed = call(client, "GET", METADATA).data[endpoint]
        stripped = listed.removeprefix(base)
        host = "/".join(listed.split("/", 3)[:3])
        whole = listed.removeprefix(host)
        answers = [ask(client, MARY_SEES_USAGE, path).data for path in (stripped, whole)]

    good = [each.get("decision") or bool(each["results"]) for each in answers]
    assert [True, True] == good


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_the_paths_say_which_version(path: str) -> None:
    """The version of the API is a step of each endpoint's path."""
    assert "v1" in path.split("/")


def test_another_tenant_is_not_found() -> None:
    """The path of somebody else is 404."""
    statuses = [get_metadata(TENANT, path).status for path in (f"{METADATA}/t2", f"/t2{METADATA}")]

    assert [404, 404] == statuses


def test_the_host_header_is_not_believed() -> None:
    """The URLs come from the settings, whatever the caller says the host is."""
    with open_client(public_url=HOST) as client:
        headers = [("Host", "evil.example"), ("X-Forwarded-Host", "evil.example")]
        answer = call(client, "GET", METADATA, headers)

    assert "evil" not in answer.text


def test_it_may_be_kept_for_a_while() -> None:
    """Caches are told for how long."""
    assert "max-age=3600" == get_metadata(HOST).headers["cache-control"]
