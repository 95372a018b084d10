"""Who may reach the service."""

from __future__ import annotations

from authz_service.errors import SettingError
from authz_service.settings import is_loopback


def refuse_exposure(host: str) -> None:
    """Refuse to serve anybody but this machine while callers cannot show who they are.

    Raises:
        SettingError: when others could reach the address.
    """
    if not is_loopback(host):
        message = (
            f"`{host}` can be reached from other machines, and no API key exists; serve on a "
            "loopback address such as 127.0.0.1"
        )
        raise SettingError.at("host", "exposed_without_keys", message)
