"""Names of routes, for metrics, logs and write keys: the template with its version, never the path itself."""

from __future__ import annotations

from starlette.types import Scope

PREFIX = "/v1"


def template(scope: Scope) -> str:
    """Return the template of the matched route, such as `/v1/holds/{hold_id}:confirm`; `unknown` if none matched."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "unknown"
    # the matched route knows its path within its router only
    return f"{PREFIX}{path}" if scope["path"].startswith(f"{PREFIX}/") and not path.startswith(PREFIX) else str(path)
