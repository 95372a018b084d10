"""Policy sets as stores keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authz_service.errors import PolicyError
from authz_service.policy.source import PolicyFile, build_policy_set
from authz_service.store.policies import KeptPolicies, find_serving

if TYPE_CHECKING:
    from datetime import datetime

    from authz_service.policy.source import PolicySet
    from authz_service.store.database import Store


def find_policies(store: Store, at: datetime) -> PolicySet | None:
    """Find the policies that served at a time; None when none are kept that did.

    Raises:
        PolicyError: when what is kept is not what served.
    """
    kept = find_serving(store, at)
    return None if kept is None else open_kept(kept)


def open_kept(kept: KeptPolicies, folder: str = "") -> PolicySet:
    """Take a policy set out of the form in which stores keep it.

    Arguments:
        kept: the set.
        folder: how the places of its rules begin; empty for its digest.

    Raises:
        PolicyError: as above.
    """
    files = [PolicyFile(name, text) for name, text in kept.files.items()]
    policies = build_policy_set(folder or kept.digest, files)
    if policies.digest != kept.digest:
        message = "was changed after it was kept; say with `--policies` what to ask instead"
        raise PolicyError.at(kept.digest, "altered_policies", message)
    return policies


def pack_policies(policies: PolicySet) -> KeptPolicies:
    """Put a policy set into the form in which stores keep it."""
    return KeptPolicies(policies.digest, {each.name: each.text for each in policies.files})
