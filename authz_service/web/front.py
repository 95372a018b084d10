"""What stands at the door: all that answers by one policy set, and how another takes over.

Whoever answers a request takes the desk once, and stays with it to the end. So each answer is of
one policy set, and a swap is one assignment, for which nobody waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from authz_service.web.answer import Responder
from authz_service.web.body import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz_service.assembly import Service
    from authz_service.web.answer import Answering

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
POLICY_DIGEST: Final = "X-Policy-Digest"


@dataclass(frozen=True)
class Desk:
    """All that answers by one policy set.

    Arguments:
        service: what answers.
        answers: by path, what answers usual questions.
        headers: of the answers to those.
    """

    service: Service
    answers: Mapping[str, Answering]
    headers: Sequence[tuple[str, str]]


class Front:
    """Where the desk stands.

    Arguments:
        service: what answers at first.

    Attributes:
        desk: the one that is open.
    """

    def __init__(self, service: Service) -> None:
        self.desk = _build_desk(service)

    def swap(self, service: Service) -> None:
        """Have another service answer, from the next request on."""
        self.desk = _build_desk(service)


def find_tenant(service: Service) -> str:
    """Find the path of the public URL; mostly it has none."""
    return urlsplit(service.settings.base_url).path


def _build_desk(service: Service) -> Desk:
    responder = Responder(service.decider, service.settings.max_batch)
    answers = {EVALUATION: responder.evaluation, EVALUATIONS: responder.evaluations}
    tenant = find_tenant(service)
    by_tenant = {tenant + path: answer for path, answer in answers.items()}
    headers = [("Content-Type", JSON), (POLICY_DIGEST, service.decider.policy_digest)]
    return Desk(service, answers | by_tenant, headers)
