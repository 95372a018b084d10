"""The reasons that no policy gives: nothing permits it, a word is not known, or it went wrong."""

from __future__ import annotations

from typing import Final

NOT_PERMITTED: Final = "not_permitted"
UNKNOWN_SUBJECT: Final = "unknown_subject"
UNKNOWN_RESOURCE: Final = "unknown_resource"
UNKNOWN_ACTION: Final = "unknown_action"
EVALUATION_ERROR: Final = "evaluation_error"
EVALUATION_TIMEOUT: Final = "evaluation_timeout"

# Each is given alone, and shows that a question went wrong rather than that it was refused.
MISHAPS: Final = frozenset(
    {
        UNKNOWN_SUBJECT,
        UNKNOWN_RESOURCE,
        UNKNOWN_ACTION,
        EVALUATION_ERROR,
        EVALUATION_TIMEOUT,
    }
)

MESSAGES: Final = {
    NOT_PERMITTED: "no rule permits this",
    UNKNOWN_SUBJECT: "there is no such subject",
    UNKNOWN_RESOURCE: "there is no such resource",
    UNKNOWN_ACTION: "there is no such action",
    EVALUATION_ERROR: "the question could not be decided, so it is denied; the log says why",
    EVALUATION_TIMEOUT: "deciding took longer than the time limit, so it is denied",
}
