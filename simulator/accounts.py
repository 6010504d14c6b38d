"""Accounts: who may log in, as a trainee or a trainer. Passwords are kept as argon2id hashes (RFC 9106) and never shown."""

import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from simulator.database import AccountRow, Database, StorageError
from simulator.moves import Frozen

NAME = re.compile(r"\w[\w.@-]{0,63}")
SHORTEST, LONGEST = 10, 200  # characters of a password
TRIES, WAIT = 5, 300.0  # wrong passwords in a row for one name, and the seconds that it then waits
TRIES_FROM = 30  # wrong passwords from one address, for any names; a whole office may share one

_hasher = PasswordHasher()


class Role(StrEnum):
    """A trainee sees their own calls. A trainer sees everyone's, and may say that the evaluator was wrong."""

    TRAINEE = "trainee"
    TRAINER = "trainer"


class AccountError(StorageError):
    """An account that cannot be made, found or changed. The message says what to do."""


class Account(Frozen):
    """Who someone is. `secret` is the hash of the password, `owner` owns the calls."""

    name: str
    role: Role
    secret: str
    owner: str


class Accounts:
    """The accounts in a database. Methods raise AccountError, or StorageError when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, role: Role, password: str) -> None:
        """Make an account."""
        if not NAME.fullmatch(name):
            raise AccountError("A name is 1 to 64 letters, digits or . _ - @ and begins with a letter or a digit.")
        secret = _hashed(password)
        with self._database.transaction() as session:
            if session.get(AccountRow, name):
                raise AccountError(f"There is an account {name} already. Take another name, or remove it first.")
            owner, now = secrets.token_hex(32), datetime.now(UTC)
            session.add(AccountRow(name=name, role=role.value, secret=secret, owner=owner, made=now))

    def set_password(self, name: str, password: str) -> None:
        """Change a password. Whoever is logged in with the old one is logged out."""
        secret = _hashed(password)
        with self._database.transaction() as session:
            row = session.get(AccountRow, name)
            if row is None:
                raise _unknown(name)
            row.secret = secret

    def remove(self, name: str) -> None:
        """Forget an account. Its calls stay, without a name."""
        with self._database.transaction() as session:
            row = session.get(AccountRow, name)
            if row is None:
                raise _unknown(name)
            session.delete(row)

    def all(self) -> tuple[Account, ...]:
        """Every account, by name."""
        with self._database.transaction() as session:
            return tuple(_account(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.name)))

    def find(self, name: str) -> Account | None:
        """The account as it is now."""
        with self._database.transaction() as session:
            row = session.get(AccountRow, name)
            return _account(row) if row else None

    def verify(self, name: str, password: str) -> Account | None:
        """The account, when the password is right. A name that is not there takes as long as one that is."""
        found = self.find(name)
        try:
            _hasher.verify(found.secret if found else _nobody(), password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return None
        return found


class Throttle:
    """Counts wrong passwords by name or by address; after `tries` in a row that one waits WAIT seconds, whoever asks."""

    def __init__(self, tries: int = TRIES, clock: Callable[[], float] = time.monotonic) -> None:
        self._tries = tries
        self._clock = clock
        self._wrong: dict[str, tuple[int, float]] = {}
        self._lock = Lock()

    def waits(self, who: str) -> bool:
        """Whether this name or address has to wait."""
        count, last = self._wrong.get(who, (0, 0.0))
        return count >= self._tries and self._clock() - last < WAIT

    def note(self, who: str, right: bool) -> None:
        """Take note of a try."""
        now = self._clock()
        with self._lock:
            self._wrong = {one: seen for one, seen in self._wrong.items() if now - seen[1] < WAIT}
            if right:
                self._wrong.pop(who, None)
            else:
                self._wrong[who] = (self._wrong.get(who, (0, now))[0] + 1, now)


def accounts_of(setting: str, database: Database) -> Accounts | None:
    """What DEFUSE_AUTH asks for: none when empty, `1` for the calls' own database, else a file (SQLite) beside it."""
    if not setting or setting == "0":
        return None
    return Accounts(database if setting == "1" else Database(f"sqlite:///{Path(setting).expanduser()}"))


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"A password has {SHORTEST} to {LONGEST} characters. A few words in a row do well.")
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex(16))


def _unknown(name: str) -> AccountError:
    return AccountError(f"There is no account {name}. `defuse user list` shows those that there are.")


def _account(row: AccountRow) -> Account:
    return Account(name=row.name, role=Role(row.role), secret=row.secret, owner=row.owner)
