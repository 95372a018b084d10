"""Every setting: where it is read from, what it may be, and how it is shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from authz_service.addresses import is_loopback
from authz_service.errors import Fault, Place, SettingError
from authz_service.settings import Settings, allows_color, load_settings, write_settings


def refuse(name: str, value: str) -> SettingError:
    """The error for one faulty environment variable."""
    with pytest.raises(SettingError) as caught:
        load_settings({}, {name: value})
    return caught.value


def test_everything_has_a_default() -> None:
    """Without a word from anybody the settings are these."""
    expected = Settings(
        database="sqlite:///var/portal.db",
        policies=Path("policies"),
        domain="authz_service.portal",
        fixtures=Path("fixtures"),
        host="127.0.0.1",
        port=8080,
        public_url="",
        workers=1,
        threads=1,
        max_body=1_048_576,
        max_import=1_073_741_824,
        max_batch=1_000,
        time_limit=250,
    )

    assert expected == load_settings({}, {})


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("AUTHZ_DATABASE", "postgresql://authz@db/portal", "postgresql://authz@db/portal"),
        ("AUTHZ_POLICIES", "/etc/authz/policies", Path("/etc/authz/policies")),
        ("AUTHZ_DOMAIN", "clinic", "clinic"),
        ("AUTHZ_FIXTURES", "facts", Path("facts")),
        ("AUTHZ_HOST", "::1", "::1"),
        ("AUTHZ_PORT", "443", 443),
        ("AUTHZ_PUBLIC_URL", "https://authz.example", "https://authz.example"),
        ("AUTHZ_WORKERS", "8", 8),
        ("AUTHZ_THREADS", "2", 2),
        ("AUTHZ_MAX_BODY", "4096", 4096),
        ("AUTHZ_MAX_BATCH", "50", 50),
        ("AUTHZ_TIME_LIMIT", "1000", 1000),
        ("AUTHZ_SMTP_HOST", "mail.example.com", "mail.example.com"),
        ("AUTHZ_SMTP_PORT", "25", 25),
        ("AUTHZ_SMTP_SECURITY", "tls", "tls"),
        ("AUTHZ_SMTP_USER", "authz", "authz"),
        ("AUTHZ_SMTP_PASSWORD", "sword fish", "sword fish"),
        ("AUTHZ_MAIL_FROM", "no-reply@portal.example", "no-reply@portal.example"),
        ("AUTHZ_SMS_TOKEN", "ab.c~/+-_=", "ab.c~/+-_="),
        ("AUTHZ_LINK_PAGE", "https://portal.example/confirm", "https://portal.example/confirm"),
        ("AUTHZ_DELIVERY_ATTEMPTS", "3", 3),
        ("AUTHZ_DELIVERY_TIMEOUT", "5", 5),
        ("AUTHZ_LOG", "strict", "strict"),
        ("AUTHZ_LOG_BUFFER", "1000", 1000),
        ("AUTHZ_LOG_DROP", "context.ip", ("context.ip",)),
        ("AUTHZ_LOG_DROP", "subject.id, context.*", ("subject.id", "context.*")),
        ("AUTHZ_LOG_HASH", "action.properties.x", ("action.properties.x",)),
    ],
)
def test_a_setting_is_read_from_the_environment(variable: str, text: str, value: Any) -> None:
    """An environment variable replaces the default, as a value of the setting's type."""
    name = variable.removeprefix("AUTHZ_").lower()

    assert value == getattr(load_settings({}, {variable: text}), name)


def test_settings_are_read_as_they_were_written() -> None:
    """Those of whatever kind, secrets included; what is not set is not written."""
    settings = Settings(
        database="sqlite:///x",
        policies=Path("rules"),
        most_gained=0,
        token_key="k" * 32,
        log_drop=("context.ip", "subject.id"),
    )

    assert settings == load_settings(write_settings(settings), {})
    assert "log_hash" not in write_settings(settings)


def test_the_environment_is_this_process_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another environment the process's is read."""
    monkeypatch.setenv("AUTHZ_PORT", "8443")
    expected = 8443

    assert expected == load_settings({}).port


def test_an_option_wins_over_the_environment() -> None:
    """A setting that was given as an option is not read from the environment."""
    expected = 1

    assert expected == load_settings({"port": "1"}, {"AUTHZ_PORT": "2"}).port


def test_an_option_wins_over_a_faulty_environment() -> None:
    """A faulty variable does no harm where an option replaces it."""
    expected = 1

    assert expected == load_settings({"port": "1"}, {"AUTHZ_PORT": "two"}).port


def test_an_option_that_was_not_given_leaves_the_environment() -> None:
    """An option of None is no option."""
    expected = 2

    assert expected == load_settings({"port": None}, {"AUTHZ_PORT": "2"}).port


def test_the_environment_of_others_is_ignored() -> None:
    """A variable without our prefix means nothing here."""
    assert Settings() == load_settings({}, {"PORT": "1", "authz_port": "2", "XAUTHZ_PORT": "3"})


@pytest.mark.parametrize(
    ("variable", "lowest", "highest"),
    [
        ("AUTHZ_PORT", 1, 65535),
        ("AUTHZ_WORKERS", 1, 256),
        ("AUTHZ_THREADS", 1, 256),
        ("AUTHZ_MAX_BODY", 1024, 1073741824),
        ("AUTHZ_MAX_BATCH", 1, 1000000),
        ("AUTHZ_TIME_LIMIT", 1, 600000),
        ("AUTHZ_SMTP_PORT", 1, 65535),
        ("AUTHZ_DELIVERY_ATTEMPTS", 1, 100),
        ("AUTHZ_DELIVERY_TIMEOUT", 1, 60),
        ("AUTHZ_LOG_BUFFER", 1_000, 10_000_000),
        ("AUTHZ_LOG_WAIT", 1, 60_000),
        ("AUTHZ_LOG_SEGMENT_SIZE", 65_536, 68_719_476_736),
        ("AUTHZ_LOG_SEGMENT_AGE", 1, 8_760),
        ("AUTHZ_LOG_KEEP", 0, 36_500),
    ],
)
def test_a_number_has_bounds(variable: str, lowest: int, highest: int) -> None:
    """A number may be its lowest or highest, and no further."""
    name = variable.removeprefix("AUTHZ_").lower()
    ends = [getattr(load_settings({}, {variable: str(end)}), name) for end in (lowest, highest)]
    advice = f"give a whole number from {lowest} to {highest}"

    assert [lowest, highest] == ends
    for beyond in (lowest - 1, highest + 1):
        expected = Fault(Place(variable), "invalid_setting", f"`{beyond}` cannot be used: {advice}")
        assert (expected,) == refuse(variable, str(beyond)).faults


@pytest.mark.parametrize(
    "text",
    ["", "eighty", "80.0", "-80", "+80", " 80", "80 ", "8_0", "0x50", "٨٠", "8²", "1" * 5000],
    ids=ascii,
)
def test_a_number_is_digits(text: str) -> None:
    """A number is written in digits and nothing else."""
    assert [(Place("AUTHZ_PORT"), "invalid_setting")] == [
        (fault.where, fault.code) for fault in refuse("AUTHZ_PORT", text).faults
    ]


@pytest.mark.parametrize(
    "text", ["", "subject", "subject.name", "subject.type", "context", "context.a.b", "x.id", ","]
)
def test_what_is_nothing_of_a_request_cannot_be_kept_out_of_the_log(text: str) -> None:
    """A slip of the pen would leave in the log what somebody wants out of it."""
    [fault] = refuse("AUTHZ_LOG_DROP", text).faults

    assert "invalid_setting" == fault.code
    assert "is nothing of a request" in fault.message


def test_zeros_in_front_do_not_hide_a_number_beyond_its_bounds() -> None:
    """A number that is too large is refused however many zeros it starts with."""
    assert refuse("AUTHZ_PORT", "0000000080805").faults


@pytest.mark.parametrize(
    "variable",
    ["AUTHZ_DATABASE", "AUTHZ_POLICIES", "AUTHZ_DOMAIN", "AUTHZ_FIXTURES", "AUTHZ_HOST"],
)
def test_a_text_is_not_empty(variable: str) -> None:
    """A setting of nothing is refused rather than taken for the default."""
    message = "`` cannot be used: it is empty; leave it out for the default"
    expected = (Fault(Place(variable), "invalid_setting", message),)

    assert expected == refuse(variable, "").faults


@pytest.mark.parametrize(
    "url",
    [
        "https://authz.example",
        "https://authz.example:8443",
        "https://authz.example/decisions",
        "https://[2001:db8::1]",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://127.8.8.8:80",
        "http://[::1]:8080",
    ],
)
def test_a_public_url_is_https_or_loopback(url: str) -> None:
    """A public URL is taken as it is written."""
    assert url == load_settings({}, {"AUTHZ_PUBLIC_URL": url}).public_url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "authz.example",
        "//authz.example",
        "https://",
        "https:///decisions",
        "https://authz.example/",
        "https://authz.example/decisions/",
        "https://authz.example?tenant=1",
        "https://authz.example#top",
        "https://[::1",
        "http://192.0.2.1",
        "http://0.0.0.0",
        "ftp://authz.example",
        "javascript://127.0.0.1",
        "https://authz.example:port",
        "https://authz.example:99999",
        "https://authz.example?",
        "https://authz.example#",
        "https://philip:swordfish@authz.example",
        "https://authz.example/a b",
        "https://authz.example\n",
        "https://authz\t.example",
    ],
)
def test_a_public_url_that_callers_could_not_use_is_refused(url: str) -> None:
    """A public URL of another form is refused."""
    assert [(Place("AUTHZ_PUBLIC_URL"), "invalid_setting")] == [
        (fault.where, fault.code) for fault in refuse("AUTHZ_PUBLIC_URL", url).faults
    ]


@pytest.mark.parametrize(
    ("advice", "url"),
    [
        (
            "give a URL of scheme, host, port and path, without a final slash",
            "https://authz.example/",
        ),
        ("give an https URL (http only for a loopback address)", "http://192.0.2.1"),
    ],
)
def test_a_refused_public_url_says_what_to_give(advice: str, url: str) -> None:
    """A fault of a public URL ends with the rule that it breaks."""
    assert refuse("AUTHZ_PUBLIC_URL", url).faults[0].message.endswith(advice)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.255.255.254", "::1", "localhost"])
def test_loopback_stays_on_this_machine(host: str) -> None:
    """An address of this machine's own is loopback."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["::", "192.0.2.1", "128.0.0.1", "2001:db8::1", "", "a" * 64, "a\0b"]
)
def test_nothing_else_is_loopback(host: str) -> None:
    """An address that others reach, or that is none, is not loopback."""
    assert not is_loopback(host)


def test_an_unknown_variable_is_refused_with_the_nearest() -> None:
    """A variable with our prefix that is no setting is refused, so that no typo goes unseen."""
    message = "there is no setting `AUTHZ_DATABSE`; did you mean `AUTHZ_DATABASE`?"
    expected = (Fault(Place("AUTHZ_DATABSE"), "unknown_setting", message),)

    assert expected == refuse("AUTHZ_DATABSE", "sqlite:///a.db").faults


def test_a_variable_that_resembles_nothing_is_refused_with_a_list() -> None:
    """A variable that is near to no setting is refused with the first of them, and their number."""
    names = sorted(each.name.upper() for each in dataclasses.fields(Settings))
    listed = ", ".join(f"`AUTHZ_{name}`" for name in names[:20])
    more = f"{listed} and {len(names) - 20} more"
    message = f"there is no setting `AUTHZ_ZYXWVUQ_QUUX_ZZYZX`; there is {more}"

    assert message == refuse("AUTHZ_ZYXWVUQ_QUUX_ZZYZX", "1").faults[0].message


def test_a_variable_in_another_case_is_refused() -> None:
    """A variable that is a setting but for its case would not be read, so it is refused."""
    message = "there is no setting `AUTHZ_Port`; did you mean `AUTHZ_PORT`?"
    expected = (Fault(Place("AUTHZ_Port"), "unknown_setting", message),)

    assert expected == refuse("AUTHZ_Port", "80").faults


def test_all_faults_are_told_at_once() -> None:
    """Every faulty option and variable is named, in the order of their names."""
    expected = ["--max-body", "--port", "AUTHZ_DATABASE", "AUTHZ_POLICY", "AUTHZ_THREADS"]

    with pytest.raises(SettingError) as caught:
        load_settings(
            {"port": "x", "max_body": "1"},
            {
                "AUTHZ_THREADS": "0",
                "AUTHZ_DATABASE": "",
                "AUTHZ_POLICY": "x",
                "AUTHZ_WORKERS": "2",
            },
        )

    assert expected == [fault.where.name for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("expected", "database"),
    [
        ("postgresql://db/portal", "postgresql://authz:swordfish@db/portal"),
        ("postgresql://db:5432/portal", "postgresql://authz:sword@fish@db:5432/portal"),
        ("postgresql://db/portal", "postgresql://authz@db/portal"),
        ("postgresql://db/portal", "postgresql://db/portal"),
        ("sqlite:///var/portal.db", "sqlite:///var/portal.db"),
        ("sqlite:////home/a@b/portal.db", "sqlite:////home/a@b/portal.db"),
    ],
)
def test_a_database_is_shown_without_its_user(expected: str, database: str) -> None:
    """A database is shown without the user and password of its URL."""
    assert expected == Settings(database=database).shown_database


def test_a_password_among_the_parameters_is_not_shown() -> None:
    """A password that stands behind the question mark is hidden as well."""
    settings = Settings(database="postgresql:///portal?host=db&user=authz&password=swordfish")

    assert "swordfish" not in settings.shown_database


@pytest.mark.parametrize(
    ("expected", "settings"),
    [
        ("http://127.0.0.1:8080", Settings()),
        ("http://[::1]:443", Settings(host="::1", port=443)),
        ("http://authz.example:8080", Settings(host="authz.example")),
        ("https://authz.example/a", Settings(public_url="https://authz.example/a", port=1)),
    ],
)
def test_the_base_url_is_what_callers_use(expected: str, settings: Settings) -> None:
    """The base URL is the public one, or else where the service listens."""
    assert expected == settings.base_url


@pytest.mark.parametrize(
    "url",
    [
        "https://sms.example",
        "https://sms.example/",
        "https://sms.example:8443/v1/messages/?account=7&from=MyProximus",
        "http://127.0.0.1:9000/messages",
    ],
)
def test_a_gateway_is_reached_by_https_or_on_this_machine(url: str) -> None:
    """Its URL is taken as it is written."""
    assert url == load_settings({}, {"AUTHZ_SMS_URL": url}).sms_url


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("AUTHZ_SMS_URL", "http://192.0.2.1/messages"),
        ("AUTHZ_SMS_URL", "ftp://sms.example"),
        ("AUTHZ_SMS_URL", "https://user:swordfish@sms.example"),
        ("AUTHZ_SMS_URL", "https://sms.example/a b"),
        ("AUTHZ_SMS_URL", "https://sms.example/\r\nX: y"),
        ("AUTHZ_SMS_URL", "https://sms.example:99999"),
        ("AUTHZ_SMS_TOKEN", "a b"),
        ("AUTHZ_SMS_TOKEN", "a\r\nX: y"),
        ("AUTHZ_SMTP_PASSWORD", "pâsse"),
        ("AUTHZ_SMTP_USER", "a\nb"),
        ("AUTHZ_SMTP_SECURITY", "ssl"),
        ("AUTHZ_MAIL_FROM", "MyProximus <noreply@portal.example>"),
        ("AUTHZ_MAIL_FROM", "noreply"),
        ("AUTHZ_MAIL_FROM", "noreply@portal.example\nBcc: evil@x.example"),
        ("AUTHZ_LINK_PAGE", "http://portal.example/confirm"),
        ("AUTHZ_LINK_PAGE", "https://portal.example/confirm?x=1"),
    ],
)
def test_what_no_channel_could_use_is_refused(variable: str, text: str) -> None:
    """Before anything is sent by it."""
    assert [(Place(variable), "invalid_setting")] == [
        (fault.where, fault.code) for fault in refuse(variable, text).faults
    ]


@pytest.mark.parametrize("variable", ["AUTHZ_SMTP_PASSWORD", "AUTHZ_SMS_TOKEN"])
def test_secrets_of_channels_are_not_shown(variable: str) -> None:
    """Neither where the settings are printed nor where one is refused."""
    shown = repr(load_settings({}, {variable: "swordfish"}))

    assert "swordfish" not in shown
    assert "sword\x00fish" not in str(refuse(variable, "sword\x00fish"))


@pytest.mark.parametrize(
    ("expected", "environ"), [(True, {}), (True, {"NO_COLOR": ""}), (False, {"NO_COLOR": "0"})]
)
def test_colours_can_be_turned_off_for_all_programs(
    *, expected: bool, environ: dict[str, str]
) -> None:
    """By a variable that only has to hold something."""
    assert expected == allows_color(environ)
