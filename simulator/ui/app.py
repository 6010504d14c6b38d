"""Serves the pages on one port, to this machine unless told otherwise."""

import errno
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from simulator.accounts import AccountError, Accounts, accounts_of
from simulator.engine import BUNDLED, Engine, load_engine
from simulator.evaluations import Evaluations
from simulator.exports import is_loopback
from simulator.models.bundled import home
from simulator.persona import LIBRARY, Persona, load_personas
from simulator.rehearsal import CAST
from simulator.shelf import Customers, Shelf
from simulator.storage import StorageError, Store
from simulator.ui.door import ASK, PEER, Door
from simulator.ui.workshop import open_workshop

MOST_BYTES = 2_000_000  # of a request; a persona of the largest size, twice, with room
Scope = dict[str, Any]


class PortError(OSError):
    """The port cannot be had. The message says what to do."""


def serve(
    model: str = BUNDLED,
    judge_model: str = BUNDLED,
    base_url: str | None = None,
    personas: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 7860,
    database: str | None = None,
) -> None:
    """Serve until interrupted. Raises PortError, PersonaError, ModelError or StorageError before it does.

    The port is taken first, for whoever has two of these running should not wait for a model to load to hear of it; it
    opens when the pages are ready.
    """
    door = take_port(host, port)
    try:
        library = load_personas(LIBRARY, *([personas] if personas else []))
        store = Store(database or default_database())
        keeper = Door(_accounts(store), local=is_loopback(host))
        print("Loading the models ...", flush=True)
        engine = load_engine(model, judge_model, base_url)
        options = ["--model", model, "--judge-model", judge_model]
        options += ["--base-url", base_url] if base_url else []
        options += ["--personas", str(personas)] if personas else []
        runs = Evaluations(home() / "evaluations", options)
        web = web_app(engine, store, library, keeper, home(), runs)
        import uvicorn

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                runs.stop()
                web.end_streams()
                await super().shutdown(sockets)

        # Without proxy_headers the client is whoever is connected: what a header says of it anyone could have written.
        server = Server(uvicorn.Config(web.app, log_level="warning", timeout_graceful_shutdown=5, proxy_headers=False))
        shown = f"[{host}]" if ":" in host else host
        print(f"Defuse is open at http://{shown}:{port}  (Ctrl+C ends it; calls are kept)", flush=True)
        with suppress(KeyboardInterrupt):  # uvicorn has shut down in good order before it raises this
            server.run(sockets=[door])
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise _port_error(host, port, error) from error  # a second one was started while the first was loading
    finally:
        door.close()


class Web(NamedTuple):
    """The ASGI app, and what lets go of the pages that are open, each of which holds a connection."""

    app: Any
    end_streams: Callable[[], None]


def _accounts(store: Store) -> Accounts | None:
    """The accounts that DEFUSE_AUTH asks for. Raises AccountError when there is nobody who could log in."""
    accounts = accounts_of(os.environ.get("DEFUSE_AUTH", ""), store.database)
    if accounts is not None and not accounts.all():
        raise AccountError(
            "DEFUSE_AUTH is set, but there are no accounts, so nobody could log in. Make one first, with DEFUSE_AUTH set "
            "as it is and the same --database: defuse user add NAME --role trainer"
        )
    return accounts


def web_app(
    engine: Engine,
    store: Store,
    library: Mapping[str, Persona],
    door: Door,
    folder: Path,
    runs: Evaluations | None = None,
) -> Web:
    """The pages, with a policy that keeps the browser on this host; behind a login when the door has accounts.

    `folder` keeps what trainers write, and the `runs` of suites unless they are given.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported and when an app is made
    import gradio as gr
    from fastapi import FastAPI

    from simulator.ui.evaluate import Evaluate
    from simulator.ui.pages import build
    from simulator.ui.theme import POLICY, page_head, style_sheet, theme

    customers = Customers(library, Shelf(folder / "personas", library))
    evaluate = Evaluate(runs or Evaluations(folder / "evaluations"))
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        outer,
        build(engine, store, customers, door, open_workshop(folder, customers, engine, CAST), evaluate),
        path="/",
        auth=door.admit if door.accounts is not None else None,
        auth_message=style_sheet() + ASK,
        footer_links=[],
        run_history=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        theme=theme(),
        head=page_head(),
    )
    pages: Any = outer.routes[-1]
    door.tokens = pages.app.tokens
    app = guarded(outer, {"content-security-policy": POLICY, "referrer-policy": "no-referrer"})
    return Web(app, pages.app.stop_event.set)


def guarded(app: Any, headers: dict[str, str]) -> Any:
    """The app with headers on every answer; the door learns where each request comes from; nobody fills the disk."""
    added = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        PEER.set((scope.get("client") or ("",))[0])
        if scope["type"] == "http" and (status := _refusal(scope)):
            await send(
                {"type": "http.response.start", "status": status, "headers": [(b"connection", b"close"), *added]}
            )
            await send({"type": "http.response.body", "body": b""})
            return

        async def sending(message: Scope) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped


def _refusal(scope: Scope) -> int | None:
    """The status for a request that no page sends: Gradio's file upload, which any site could reach from the user's browser,
    and a body that is larger than a page's or of unknown length."""
    if scope["path"].rstrip("/").endswith("/upload"):
        return 404
    sent = dict(scope["headers"])
    if b"transfer-encoding" in sent:
        return 411
    length = sent.get(b"content-length", b"0")
    return None if length.isdigit() and int(length) <= MOST_BYTES else 413


def take_port(host: str, port: int) -> socket.socket:
    """A bound socket, which does not listen yet. Raises PortError when the port is taken or not allowed."""
    if not 0 <= port < 65536:
        raise PortError(f"There is no port {port}. Choose one from 1024 to 65535, such as 7860.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise _port_error(host, port, error) from error
    return door


def _port_error(host: str, port: int, error: OSError) -> PortError:
    why = error.strerror or error
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 7860
        return PortError(
            f"Port {port} on {host} cannot be used ({why}). Another program, perhaps another Defuse, has it. Choose another "
            f"port: PORT={other} python app.py"
        )
    if error.errno == errno.EACCES:
        return PortError(f"Port {port} needs rights that you do not have ({why}). Choose one from 1024 up: PORT=7860")
    return PortError(f"{host} is no address of this machine ({why}). Give one that is with --host, such as 127.0.0.1")


def default_database() -> str:
    """SQLite in the user's folder (DEFUSE_HOME when set), beside the models. Raises StorageError without such a folder."""
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {folder}, which keeps the calls, cannot be made ({error.strerror}). Point DEFUSE_HOME at a folder "
            "that can be written, or give another --database."
        ) from error
    return f"sqlite:///{folder / 'calls.sqlite'}"
