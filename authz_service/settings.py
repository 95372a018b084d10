"""Every setting, read once, with its default and its meaning."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from authz_service.addresses import parse_gateway_url, parse_mail_address, parse_public_url
from authz_service.errors import Fault, Place, SettingError, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "AUTHZ_"

_SHORTEST_KEY: Final = 32
_DIGITS: Final = re.compile(r"[0-9]{1,13}")
# What of a request can be kept out of the decision log.
_REQUEST_PATH: Final = re.compile(
    r"(subject|resource)\.id|context\.[^.]+|(subject|action|resource)\.properties\.[^.]+"
)
_BEARER_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def _setting(
    default: Any, parse: Callable[[str], Any], meaning: str, *, secret: bool = False
) -> Any:
    """Declare a setting; a secret is no option, for others see those, and is never printed."""
    about = {"parse": parse, "meaning": meaning, "secret": secret}
    return field(default=default, metadata=about, repr=not secret)


def _parse_text(text: str) -> str:
    if not text:
        raise ValueError("it is empty; leave it out for the default")
    return text


def _parse_whole(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not _DIGITS.fullmatch(text) or not lowest <= int(text) <= highest:
            raise ValueError(f"give a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def _parse_choice(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"give one of {', '.join(words)}")
        return text

    return parse


def _parse_key(text: str) -> str:
    if len(text) < _SHORTEST_KEY:
        raise ValueError(f"give at least {_SHORTEST_KEY} characters that nobody can guess")
    return text


def _parse_paths(text: str) -> tuple[str, ...]:
    paths = tuple(each.strip() for each in text.split(","))
    for each in paths:
        if not _REQUEST_PATH.fullmatch(each):
            raise ValueError(
                f"`{each}` is nothing of a request; write `subject.id`, `resource.id`,"
                " `context.NAME`, or `subject`, `action` or `resource` with `.properties.NAME`;"
                " `*` stands for every name"
            )
    return paths


def _parse_folder(text: str) -> Path:
    return Path(_parse_text(text))


def _parse_login(text: str) -> str:
    if not _parse_text(text).isascii() or not text.isprintable():
        raise ValueError("give letters, digits and signs of ASCII")
    return text


def _parse_bearer_token(text: str) -> str:
    if not _BEARER_TOKEN.fullmatch(text):
        raise ValueError("give letters, digits and `._~+/-`, as a header can hold")
    return text


@dataclass(frozen=True)
class Settings:
    """What an operator can choose; each field is `AUTHZ_` + its name and `--` + its name."""

    database: str = _setting(
        "sqlite:///var/portal.db",
        _parse_text,
        "where the entities are: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`",
    )
    read_in_place: str = _setting(
        "on",
        _parse_choice("on", "off"),
        "whether a SQLite file is read where it lies; `off` is faster where other processes write"
        " to it more than some forty times a second",
    )
    connections: int = _setting(
        20,
        _parse_whole(1, 10_000),
        "the most connections to PostgreSQL of each serving process, which its threads share",
    )
    policies: Path = _setting(
        Path("policies"), _parse_folder, "the folder of the `.polar` files, read whole"
    )
    watch: str = _setting(
        "on",
        _parse_choice("on", "off"),
        "whether `authz serve` watches that folder, and takes what changes there once it is tried",
    )
    scenarios: Path = _setting(
        Path("scenarios"),
        _parse_folder,
        "the folder of the scenarios, which policies must pass before they serve, if it is there",
    )
    most_gained: int | None = _setting(
        None,
        _parse_whole(0, 1_000_000_000_000),
        "how many pairs of subject and resource policies may newly allow, to serve; without it, any"
        " number",
    )
    trial_limit: int = _setting(
        600, _parse_whole(1, 86_400), "seconds that trying policies may take; longer refuses them"
    )
    policy_keys: str = _setting(
        "",
        _parse_text,
        "a file of public keys (Ed25519, PEM): policies serve only if one of them signed them",
    )
    domain: str = _setting(
        "authz_service.portal",
        _parse_text,
        "the Python package whose `DOMAIN` says which entities and actions there are",
    )
    fixtures: Path = _setting(
        Path("fixtures"), _parse_folder, "the folder in which scenarios find their fixtures"
    )
    host: str = _setting("127.0.0.1", _parse_text, "the address to serve on")
    port: int = _setting(8080, _parse_whole(1, 65535), "the TCP port to serve on")
    public_url: str = _setting(
        "",
        parse_public_url,
        "the URL by which callers know this service; without one it is `http://HOST:PORT`",
    )
    workers: int = _setting(1, _parse_whole(1, 256), "serving processes")
    threads: int = _setting(1, _parse_whole(1, 256), "threads in each serving process")
    max_body: int = _setting(
        1_048_576, _parse_whole(1_024, 1_073_741_824), "the largest request body, in bytes"
    )
    max_import: int = _setting(
        1_073_741_824,
        _parse_whole(1_024, 1_099_511_627_776),
        "the largest body that brings many entities at once, in bytes",
    )
    body_timeout: int = _setting(
        10,
        _parse_whole(1, 3_600),
        "seconds that clients may keep all threads of a process waiting for their bodies; then it"
        " is replaced",
    )
    max_batch: int = _setting(
        1_000, _parse_whole(1, 1_000_000), "the most questions in one batch request"
    )
    engine: str = _setting(
        "compiled",
        _parse_choice("compiled", "oso", "both"),
        "what decides: `compiled`, `oso` (the reference), or `both`, which must agree",
    )
    sample: int = _setting(
        1_000,
        _parse_whole(0, 1_000_000_000),
        "each how many served questions the reference is asked as well; 0 for never",
    )
    time_limit: int = _setting(
        250,
        _parse_whole(1, 600_000),
        "milliseconds that deciding one question may take; longer is a denial",
    )

    max_page: int = _setting(
        1_000,
        _parse_whole(1, 100_000),
        "the most results in one page of a search, and how many there are when none are asked for",
    )
    search_time_limit: int = _setting(
        2_000,
        _parse_whole(1, 600_000),
        "milliseconds that finding one page of a search may take; longer is an error",
    )
    token_key: str = _setting(
        "",
        _parse_key,
        "the secret that signs the tokens of pages, for services that share them; without one, each"
        " start makes its own",
        secret=True,
    )

    log: str = _setting(
        "buffered",
        _parse_choice("off", "buffered", "strict"),
        "the decision log: `buffered` in memory up to a bound, `strict` (an answer waits until its"
        " decision is on the disk), or `off`",
    )
    log_buffer: int = _setting(
        50_000,
        _parse_whole(1_000, 10_000_000),
        "the most decisions that a process has in memory, and a crash can lose",
    )
    log_wait: int = _setting(
        3_000,
        _parse_whole(1, 60_000),
        "milliseconds that an answer waits for the decision log; longer is an error",
    )
    log_drop: tuple[str, ...] = _setting(
        (),
        _parse_paths,
        "what of a request is left out of the decision log, such as `context.ip`; commas between",
    )
    log_hash: tuple[str, ...] = _setting(
        (),
        _parse_paths,
        "what of a request is a pseudonym in the decision log, such as `subject.id`; commas"
        " between",
    )
    log_key: str = _setting(
        "", _parse_key, "the secret with which pseudonyms are made", secret=True
    )
    log_lines: str = _setting(
        "",
        _parse_text,
        "where decisions go besides the database, as lines of JSON: a file, or `-` for the standard"
        " output",
    )
    log_segment_size: int = _setting(
        67_108_864,
        _parse_whole(65_536, 68_719_476_736),
        "the largest segment of the decision log, in bytes",
    )
    log_segment_age: int = _setting(
        24, _parse_whole(1, 8_760), "hours after which the next segment of the log begins"
    )
    log_keep: int = _setting(
        90,
        _parse_whole(0, 36_500),
        "days that entries of the decision log are kept after their segment ended; 0 for good",
    )

    smtp_host: str = _setting(
        "", _parse_text, "the mail server that takes e-mail; without one, e-mail stays queued"
    )
    smtp_port: int = _setting(587, _parse_whole(1, 65535), "the TCP port of the mail server")
    smtp_security: str = _setting(
        "starttls",
        _parse_choice("none", "starttls", "tls"),
        "how the way to the mail server is protected: `starttls`, `tls` from the first byte, or"
        " `none`",
    )
    smtp_user: str = _setting("", _parse_login, "the user with whom to log in at the mail server")
    smtp_password: str = _setting("", _parse_login, "the password of that user", secret=True)
    mail_from: str = _setting("", parse_mail_address, "the address from which e-mail comes")
    sms_url: str = _setting(
        "",
        parse_gateway_url,
        "the URL of the gateway that takes text messages; without one, they stay queued",
    )
    sms_token: str = _setting(
        "", _parse_bearer_token, "the bearer token that the gateway wants", secret=True
    )
    link_page: str = _setting(
        "",
        parse_public_url,
        "the URL of the page to which links in messages lead; without one, messages say what to"
        " enter instead",
    )
    delivery_attempts: int = _setting(
        12, _parse_whole(1, 100), "how often a message is tried before it is given up as dead"
    )
    delivery_timeout: int = _setting(
        10,
        _parse_whole(1, 60),
        "seconds that each answer of a mail server or a gateway may take",
    )

    @property
    def shown_database(self) -> str:
        """The database for messages: without what a URL says of users and passwords."""
        if self.database.startswith("sqlite:///"):
            return self.database
        scheme, separator, rest = self.database.partition("://")
        return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}"

    @property
    def base_url(self) -> str:
        """The URL by which callers know this service, without a final slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def load_settings(
    overrides: Mapping[str, str | None], environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read the settings: a command's option wins over the environment, which wins over the default.

    Arguments:
        overrides: setting name to text, as given on the command line; None where not given.
        environ: the environment.

    Raises:
        SettingError: for every value that cannot be used and every unknown `AUTHZ_` variable.
    """
    known = {each.name: each for each in dataclasses.fields(Settings)}
    variables = {PREFIX + name.upper() for name in known}
    faults = [
        Fault(Place(name), "unknown_setting", f"there is no setting `{name}`{_nearest(name)}")
        for name in environ
        if name.startswith(PREFIX) and name not in variables
    ]
    values = {}
    for name, each in known.items():
        source, text = _find_text(name, overrides, environ)
        if text is None:
            continue
        try:
            values[name] = each.metadata["parse"](text)
        except ValueError as error:
            shown = "what it is set to" if each.metadata["secret"] else f"`{text}`"
            message = f"{shown} cannot be used: {error}"
            faults.append(Fault(Place(source), "invalid_setting", message))
    if faults:
        raise SettingError(faults)
    return Settings(**values)


def write_settings(settings: Settings) -> dict[str, str]:
    """Write settings as texts, by name, from which `load_settings` reads the same."""
    values = {each.name: getattr(settings, each.name) for each in dataclasses.fields(Settings)}
    return {
        name: ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value not in {None, "", ()}
    }


def allows_color(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment lets programs print in colours, as no-color.org has it."""
    return not environ.get("NO_COLOR")


def _find_text(
    name: str, overrides: Mapping[str, str | None], environ: Mapping[str, str]
) -> tuple[str, str | None]:
    given = overrides.get(name)
    if given is not None:
        return f"--{name.replace('_', '-')}", given
    variable = PREFIX + name.upper()
    return variable, environ.get(variable)


def _nearest(name: str) -> str:
    return suggest(name, [PREFIX + each.name.upper() for each in dataclasses.fields(Settings)])
