"""The Prefect server as Trimtab starts it: for this machine only, or behind a login and TLS.

`prefect server start` listens wherever it is told, without a login, and answers to any `Host`. This starts
the same application, and refuses what would let strangers read runs and start them.
"""

from __future__ import annotations

import os
import sys

import click

from flows.checkout import require_own_rooms
from flows.hosts import LOOPBACK_NAMES, is_loopback, only_hosts
from tasks.settings import quiet_libraries

LEAST_AUTH = 16


class UnsafeServerError(Exception):
    """Listening like this would expose the server; the message says what was wanted, found and what to do."""


def require_safe(host: str, auth: str | None, *, behind_tls: bool, allowed: tuple[str, ...]) -> None:
    """Refuse to listen beyond loopback without a login, TLS in front, and the names it answers to.

    Raises:
        UnsafeServerError: one of them is missing.
    """
    if is_loopback(host):
        return
    if not auth or ":" not in auth or len(auth) < LEAST_AUTH:
        found = "found none" if not auth else "found one that is too short or without ':'"
        raise UnsafeServerError(
            f"Wanted a login before listening on {host}, which others can reach; {found}. "
            f"Set PREFECT_SERVER_API_AUTH_STRING=user:password ({LEAST_AUTH} characters at least) for the "
            "server, and PREFECT_API_AUTH_STRING to the same for workers; or listen on 127.0.0.1."
        )
    if not behind_tls:
        raise UnsafeServerError(
            f"Wanted TLS in front of {host}: the login would cross the network in clear text, and this "
            "server speaks none. Put a reverse proxy that does before it, or keep it in a network of "
            "containers, and say so with --behind-tls; or listen on 127.0.0.1."
        )
    if not allowed:
        raise UnsafeServerError(
            f"Wanted the names that clients use for {host}, found none. Name each with --allow-host NAME."
        )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1024, 65535), default=4200, show_default=True)
@click.option(
    "--behind-tls", is_flag=True, help="A proxy that speaks TLS, or a container network, is before it."
)
@click.option("--allow-host", "allowed", multiple=True, help="A further name that clients use; repeatable.")
def main(host: str, port: int, behind_tls: bool, allowed: tuple[str, ...]) -> None:
    """Run the Prefect server of a schedule; on loopback unless it is protected.

    Example: python -m flows.prefect_server --port 4200
    """
    os.umask(0o077)  # Prefect makes its database readable by everyone
    require_own_rooms()
    quiet_libraries()
    from prefect.settings import get_current_settings  # noqa: PLC0415 - after telemetry is off

    secret = get_current_settings().server.api.auth_string
    try:
        require_safe(
            host, secret.get_secret_value() if secret else None, behind_tls=behind_tls, allowed=allowed
        )
    except UnsafeServerError as problem:
        click.echo(str(problem), err=True)
        sys.exit(2)
    _run(host, port, (*LOOPBACK_NAMES, *allowed))


def _run(host: str, port: int, names: tuple[str, ...]) -> None:
    import uvicorn  # noqa: PLC0415 - heavy, and only where a server is really started
    from prefect.server.api.server import create_app  # noqa: PLC0415 - likewise

    app = only_hosts(create_app(final=True), names)  # pyright: ignore[reportArgumentType] - FastAPI is ASGI
    uvicorn.run(app, host=host, port=port, timeout_keep_alive=5, log_level="warning", server_header=False)  # pyright: ignore[reportArgumentType] - an ASGI application


if __name__ == "__main__":
    main()
