"""What the owners of calls are called, for trainers and in exports."""

from collections.abc import Iterable

from simulator.accounts import Accounts
from simulator.storage import hashed


def names(accounts: Accounts | None, owners: Iterable[str]) -> dict[str, str]:
    """The account's name by owner; without one, a browser told by the first letters of its hash."""
    known = {hashed(account.owner): account.name for account in accounts.all()} if accounts else {}
    kind = "No account" if known else "Browser"
    return {owner: known.get(owner) or f"{kind} {owner[:6]}" for owner in owners}
