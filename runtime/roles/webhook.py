"""The webhook's composition root: HTTPS for the API server, the judge's public key, and its part of the ledger. It reaches no cluster.

Several may run over one ledger: on one host with sqlite, anywhere with Postgres.
"""

import asyncio
import contextlib
import logging
import socket
import sys
from pathlib import Path

import uvicorn

from core.domain.errors import Corrupt, InvalidInput
from gate import keys
from gate.certificates import Rotation
from gate.webhook import Webhook, application
from runtime.roles import deciders
from runtime.roles.deciders import RoleSettings, WebhookSettings
from tools.clocks import SystemClock
from tools.stores.admissions import SqlAdmissions

ROLE = "webhook"
ROTATION_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 300
"""Longer than the API server keeps an idle connection (90 s): closed by us under its next question, that one would fail."""
log = logging.getLogger(__name__)


async def run(settings: RoleSettings, stop: asyncio.Event) -> None:
    """Answer until told to stop. Raises Corrupt for a damaged ledger or unusable certificates, InvalidInput where none are configured."""
    wanted = settings.webhook
    rotation = _rotation(wanted, settings.private_dir or settings.data_dir / "keys")
    rotation.prepare()
    book = SqlAdmissions(settings.ledger_url)
    webhook = Webhook(book, lambda: keys.verifier(settings.data_dir / "keys", keys.JUDGE), SystemClock())
    config = uvicorn.Config(
        application(webhook),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=rotation.certificate,
        ssl_keyfile=rotation.key,
    )
    config.load()
    server = uvicorn.Server(config)
    with contextlib.closing(book), contextlib.closing(_listener(wanted)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110  uvicorn offers a flag, no event
            await asyncio.sleep(0.01)
        deciders.ready(ROLE, port=listener.getsockname()[1])
        try:
            while not stop.is_set() and not serving.done():
                _refresh(rotation, config)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ROTATION_SECONDS)
        finally:
            server.should_exit = True
            await serving


def _rotation(wanted: WebhookSettings, private: Path) -> Rotation:
    if wanted.certificate and wanted.key:
        return Rotation(wanted.certificate, wanted.key, None, ())
    if wanted.ca and wanted.ca_key:
        leaf = private / f"{ROLE}-{wanted.listen.rpartition(':')[2]}.pem"
        return Rotation(leaf, leaf, (wanted.ca, wanted.ca_key), wanted.names)
    raise InvalidInput(
        "the webhook has no certificate",
        mend="set gate.webhook_ca_file and gate.webhook_ca_key_file, or gate.webhook_certificate_file and its key",
    )


def _refresh(rotation: Rotation, config: uvicorn.Config) -> None:
    try:
        if config.ssl and rotation.refresh(config.ssl):
            log.info("serving with %s", rotation.certificate)
    except (Corrupt, OSError) as error:
        log.error("the certificate stays as it was: %s", error)  # noqa: TRY400  the trace says nothing more


def _listener(wanted: WebhookSettings) -> socket.socket:
    host, _, port = wanted.listen.rpartition(":")
    try:
        found = socket.create_server((host or "127.0.0.1", int(port)), backlog=128)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the API server waits 40 ms for each answer's second packet
        return found
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the webhook cannot listen on {wanted.listen}: {error}", mend="set gate.webhook_listen to HOST:PORT") from error


def main(argv: list[str] | None = None) -> int:
    return deciders.main(ROLE, run, RoleSettings, argv)


if __name__ == "__main__":
    sys.exit(main())
