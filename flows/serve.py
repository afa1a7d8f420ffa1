"""`make serve`: the whole schedule on one machine, with one command.

It starts a Prefect server on loopback with its own folder under the warehouse's home, registers the pool and
every deployment, starts a worker, and says that it serves only after a scheduled run has really completed. It
stays until Ctrl-C or SIGTERM, or until one of its processes ends, and then stops them all. It does not import
Prefect itself: what stays in memory beside server and worker is small.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import FrameType

import click

from flows.checkout import ROOT, WrongRoomError, require_own_rooms
from tasks.clock import Clock, RealClock
from tasks.settings import ConfigError, Settings, child_environment, load_settings

LOOPBACK = "127.0.0.1"
POOL = "trimtab"
PATIENCE_SECONDS = 8.0  # for a process that was asked to end, before it is ended
SETUP_SECONDS = 240.0  # server start, pool and deployments; 30 s on two shared cores
SELFTEST_SECONDS = 180.0


class ServeError(Exception):
    """Serving can not start or go on; the message says what was wanted, found and what to do."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Children:
    """The processes that serving consists of, each in a session of its own.

    A session of its own, so that Ctrl-C in the terminal reaches only this process, which ends them in order.
    """

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self._environment = environment
        self._clock = clock
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.stop_requested = False

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `python <arguments>` in the checkout, under a name that messages use."""
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
            [sys.executable, *arguments],
            cwd=ROOT,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def finish(self, name: str, arguments: Sequence[str], seconds: float) -> bool:
        """Run a child to its end while the others go on.

        Returns:
            False when a stop was asked for meanwhile.

        Raises:
            ServeError: the child failed, took longer than `seconds`, or another one ended.
        """
        self.start(name, arguments)
        child = self._running[name]
        deadline = self._clock.monotonic() + seconds
        while child.poll() is None and not self.stop_requested:
            self._require_alive(but=name)
            if self._clock.monotonic() > deadline:
                raise ServeError(
                    f"The {name} should be done within {seconds:.0f} s and is not. "
                    "Look at the lines above; on a slow machine try again.",
                    status=3,
                )
            self._clock.sleep(0.2)
        if self.stop_requested:
            return False
        del self._running[name]
        if child.returncode != 0:
            raise ServeError(
                f"The {name} should have succeeded and ended with status {child.returncode}. "
                "The lines above say why; nothing is being served.",
                status=3,
            )
        return True

    def watch(self) -> None:
        """Wait until a stop is asked for.

        Raises:
            ServeError: a process ended by itself.
        """
        while not self.stop_requested:
            self._require_alive()
            self._clock.sleep(0.5)

    def stop(self) -> None:
        """End every child, the newest first: the worker ends its runs while the server still answers."""
        for child in reversed(self._running.values()):
            _end(child)
        self._running.clear()

    def _require_alive(self, but: str = "") -> None:
        for name, child in self._running.items():
            if name != but and child.poll() is not None:
                raise ServeError(
                    f"The {name} should keep running and ended with status {child.returncode}. "
                    "The lines above say why; start again with `make serve`.",
                    status=3,
                )


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # also what the child left behind in its group
    child.wait()


def serve_environment(settings: Settings, port: int) -> dict[str, str]:
    """The environment of server, worker and every run: their own Prefect folder, nothing that calls home.

    Configuration and home are passed on by name, so that scheduled runs use what `serve` was started with.
    """
    folder = settings.warehouse.home / "prefect"
    return child_environment(
        {
            "PREFECT_HOME": str(folder),
            "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
            "PREFECT_API_URL": f"http://{LOOPBACK}:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
            # Prefect's own answer is "*": then any page in the browser could read runs and start them
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://{LOOPBACK}:{port},http://localhost:{port}",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10",  # a new schedule counts within seconds
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
            # Prefect's own answer is memory: then a server that dies while a flow runs leaves the flow's only
            # slot taken for good, and every later run of it is cancelled
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # what deploy/automations waits for
            "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
            "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
            "TRIMTAB_CONFIG": str(settings.config_path),
            "TRIMTAB_HOME": str(settings.warehouse.home),
        }
    )


def make_private_folder(home: Path) -> Path:
    """Make `<home>/prefect` readable by its owner only: Prefect makes its database readable by everyone."""
    folder = home / "prefect"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def require_free_port(port: int) -> None:
    """Refuse a port that something listens on: a server of someone else must not receive our deployments."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ServeError(
                f"Wanted port {port} on {LOOPBACK} for the Prefect server, found: {error.strerror}. "
                "Stop what listens there (an earlier `make serve`?), or choose another: --port N.",
                status=2,
            ) from None


@contextlib.contextmanager
def _stop_on_signals(children: Children) -> Generator[None]:
    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        children.stop_requested = True

    earlier = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        children.stop()
        for number, handler in earlier.items():
            signal.signal(number, handler)


def serve(settings: Settings, port: int, *, until_ready: bool, say: Callable[[str], None]) -> None:
    """Bring everything up, then stay until a stop is asked for.

    Args:
        settings: whose home and configuration the scheduled runs use.
        port: of the Prefect server, on loopback only.
        until_ready: stop as soon as the self-test has passed.
        say: receives one line of progress at a time.

    Raises:
        ServeError: something could not start or ended by itself; every child is stopped by then.
    """
    require_free_port(port)
    make_private_folder(settings.warehouse.home)
    children = Children(serve_environment(settings, port), RealClock())
    with _stop_on_signals(children):
        say(f"Starting the Prefect server on http://{LOOPBACK}:{port} (10 to 30 s) …")
        children.start(
            "Prefect server", ["-m", "flows.prefect_server", "--host", LOOPBACK, "--port", str(port)]
        )
        if not children.finish("registration", ["-m", "flows.prefect_setup", "register"], SETUP_SECONDS):
            return
        children.start("worker", ["-m", "flows.prefect_worker", "--pool", POOL])
        if not children.finish("self-test", ["-m", "flows.prefect_setup", "selftest"], SELFTEST_SECONDS):
            return
        say(f"Serving. Runs and schedules: http://{LOOPBACK}:{port}. Ctrl-C stops everything.")
        if not until_ready:
            children.watch()
    say("Stopped.")


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--home", type=click.Path(path_type=Path), help="The warehouse's home.")
@click.option("--port", type=click.IntRange(1024, 65535), default=4200, show_default=True)
@click.option("--check", is_flag=True, help="Stop as soon as a scheduled run has completed.")
def main(config: Path | None, home: Path | None, port: int, check: bool) -> None:
    """Serve the schedule on this machine: Prefect server, pool, deployments and worker.

    Example: python -m flows.serve --home data --port 4200
    """
    os.umask(0o077)
    try:
        require_own_rooms()
        settings = load_settings(config, home)
        serve(settings, port, until_ready=check, say=click.echo)
    except (ConfigError, WrongRoomError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except ServeError as error:
        click.echo(str(error), err=True)
        sys.exit(error.status)


if __name__ == "__main__":
    main()
