"""Who is there, and what they may do: looked up in the accounts at every read and write, never taken from the browser.

Without accounts there is nobody to tell apart. Then whoever sits at this machine is trainee and trainer in one; when the
app listens to other machines too, nobody is a trainer.
"""

import asyncio
from collections.abc import MutableMapping
from contextvars import ContextVar
from threading import Lock

from simulator.accounts import TRIES_FROM, Account, Accounts, Role, Throttle
from simulator.database import StorageError
from simulator.exports import is_loopback
from simulator.moves import Frozen
from simulator.ui.screen import known_owner

# Gradio draws the login and shows this in it; the class is what the style sheet knows the page by.
ASK = (
    '<span class="at-the-door">Defuse asks for your name and password. After five wrong passwords in a row a name waits '
    "five minutes; after thirty, everyone at that address does. If you have no account or forgot your password, ask whoever "
    "runs this Defuse.</span>"
)


# The address that a request comes from, as the connection has it; Gradio's question at the login does not carry it.
PEER: ContextVar[str] = ContextVar("peer", default="")


class AccessError(StorageError):
    """A page or a change that is not this visitor's to have. The message says whose it is."""


class Visitor(Frozen):
    """Who asks. `owner` is the secret that owns their calls, or None when nobody is known; `name` is None without
    accounts."""

    name: str | None
    owner: str | None
    role: Role

    @property
    def trains(self) -> bool:
        """Whether this is a trainer."""
        return self.role is Role.TRAINER

    @property
    def signature(self) -> str:
        """Who an override is by."""
        return self.name or "Trainer"


def trainers_only(visitor: Visitor) -> None:
    """Raises AccessError when the visitor is no trainer."""
    if not visitor.trains:
        raise AccessError("That page is for trainers. Your own calls are under “My calls”.")


class Door:
    """Lets people in. `tokens` are Gradio's logins by cookie, each with the name that was typed."""

    def __init__(self, accounts: Accounts | None, local: bool) -> None:
        self.accounts = accounts
        self.local = local
        self.tokens: MutableMapping[str, str] = {}
        self._by_name, self._by_address = Throttle(), Throttle(TRIES_FROM)
        self._one_at_a_time = Lock()  # hashing is made to be slow; many at once would stop the calls of others
        self._secrets: dict[str, str] = {}

    async def admit(self, name: str, password: str) -> bool:
        """Gradio's question at the login."""
        return await asyncio.to_thread(self._admit, name, password)

    def _admit(self, name: str, password: str) -> bool:
        if self.accounts is None:
            return False
        address = PEER.get()
        with self._one_at_a_time:
            if self._by_name.waits(name) or self._by_address.waits(address):
                return False
            account = self.accounts.verify(name, password)
            self._by_name.note(name, right=account is not None)
            # A right password clears no address, or an account of one's own would. This machine's own address is that
            # of everybody when a reverse proxy runs here, so it tells nobody apart and never waits.
            if account is None and address and not is_loopback(address):
                self._by_address.note(address, right=False)
        if account is not None:
            self._still(name, account)
        return account is not None

    def visitor(self, name: object, owner: object) -> Visitor:
        """Who asks, by the name they logged in with, or without accounts by their browser's secret."""
        if self.accounts is None:
            role = Role.TRAINER if self.local else Role.TRAINEE
            return Visitor(name=None, owner=known_owner(owner), role=role)
        account = self.accounts.find(name) if isinstance(name, str) else None
        if isinstance(name, str) and not self._still(name, account):
            account = None
        if account is None:
            return Visitor(name=None, owner=None, role=Role.TRAINEE)
        return Visitor(name=account.name, owner=account.owner, role=account.role)

    def _still(self, name: str, account: Account | None) -> bool:
        """Whether the account is there and has the password it had; if not, every login under its name ends."""
        secret = account.secret if account else ""
        if secret == self._secrets.setdefault(name, secret) and account is not None:
            return True
        self._secrets[name] = secret
        for token in [token for token, who in list(self.tokens.items()) if who == name]:
            self.tokens.pop(token, None)
        return False
