"""Who a person is, as one line of text that a door writes and every comparison reads.

`kube:CLUSTER:USER local:ACCOUNT` is a user whom an API server authenticated, at an account of this machine; `local:ACCOUNT` is an account
alone, where no API server could be asked; anything else is a name that another door vouches for. USER is percent-encoded.
"""

from typing import NamedTuple
from urllib.parse import quote, unquote

LONGEST = 200
KUBE, LOCAL = "kube:", "local:"
_SERVICE_ACCOUNT = "system:serviceaccount:"


class Person(NamedTuple):
    """The parts, in one spelling. `user` and `cluster` are empty where no API server was asked."""

    cluster: str
    user: str
    account: str


def written(cluster: str, user: str, account: str) -> str:
    """`account` is the whole `local:NAME`, or empty."""
    return f"{KUBE}{cluster}:{quote(user, safe=':@/._-+=,')} {account}".strip()


def read(by: str) -> Person:
    text = by.strip().casefold()
    if not text.startswith(KUBE):
        return Person("", "", text)
    known, _, account = text.removeprefix(KUBE).partition(" ")
    cluster, _, user = known.partition(":")
    return Person(cluster, unquote(user).casefold(), account)


def same(one: str, other: str) -> bool:
    """Two users of one cluster are compared as users; where that says nothing, two that share an account are one person."""
    a, b = read(one), read(other)
    if a.user and b.user and (a.cluster == b.cluster or not (a.account and b.account)):
        return a.user == b.user
    return bool(a.account) and a.account == b.account


def unproven(by: str) -> bool:
    """No API server knows this as a person: an account of a machine, or a service account, of which one person may hold many."""
    text = by.strip().casefold()
    user = read(by).user
    return text.startswith(LOCAL) or (text.startswith(KUBE) and (not user or user.startswith(_SERVICE_ACCOUNT)))


def owns(owner: str, by: str, groups: tuple[str, ...]) -> bool:
    """Whether this is the owner that a grant names: `group:NAME`, a user's name, or one of the forms above."""
    kind, _, name = owner.partition(":")
    if kind == "group":
        return name in groups
    return read(by).user == owner.strip().casefold() or same(owner, by)
