"""What stands at the door: all that answers by one policy set, and how another takes over.

Whoever answers a request takes the desk once, and stays with it to the end. So each answer is of
one policy set, and a swap is one assignment, for which nobody waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authz_service.web.answer import Responder
from authz_service.web.api import POLICY_DIGEST, find_answers
from authz_service.web.body import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from authz_service.assembly import Service
    from authz_service.web.answer import Answering


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


def _build_desk(service: Service) -> Desk:
    responder = Responder(service.decider, service.settings.max_batch)
    headers = [("Content-Type", JSON), (POLICY_DIGEST, service.decider.policy_digest)]
    return Desk(service, find_answers(service, responder), headers)
