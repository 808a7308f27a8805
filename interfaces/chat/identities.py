"""Who a user of a chat product is here: a person of the settings, or nobody. The product's word on names and mail counts for nothing."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.domain import people
from core.domain.access import Caller, Role, roles_of
from core.domain.errors import InvalidInput, NotAuthenticated
from core.domain.values import bounded

SETTING = "chat.people"


class Known(NamedTuple):
    """One line of the settings: `slack:U024BE7LH=oidc:ana`."""

    product: str
    user: str
    person: str


def read(lines: Iterable[str]) -> tuple[Known, ...]:
    """Raises InvalidInput for a line that is none, and for a user who would be two persons."""
    found: dict[tuple[str, str], Known] = {}
    for line in lines:
        chat, equals, person = line.partition("=")
        product, colon, user = chat.strip().partition(":")
        if not (equals and colon and product and user.strip() and person.strip()):
            raise InvalidInput(
                f"{bounded(line, 80)!r} maps nobody", mend=f"write PRODUCT:USER=PERSON into {SETTING}, such as slack:U024BE7LH=oidc:ana"
            )
        known = Known(product.casefold(), user.strip(), person.strip())
        if found.setdefault((known.product, known.user), known).person != known.person:
            raise InvalidInput(f"{product}:{bounded(user, 40)} is mapped to two persons", mend=f"leave one of them in {SETTING}")
    return tuple(found.values())


class Identities:
    """All lines of the settings. `given` are the roles as `access.*` gives them."""

    own = frozenset({"web", "terminal"})
    """Products of ours: a door of the house authenticates each person there."""

    def __init__(self, known: Iterable[Known], given: Mapping[Role, tuple[str, ...]]) -> None:
        self._known = {(row.product, row.user): row for row in known}
        self._given = given
        self._vouched: dict[tuple[str, str], Caller] = {}

    def vouch(self, product: str, caller: Caller) -> None:
        """A door of our own has authenticated this person: the console's page, or the terminal of an account."""
        self._vouched[product, caller.by] = caller._replace(door=product)

    def caller(self, product: str, user: str) -> Caller:
        """Raises NotAuthenticated for a user who is mapped to nobody, with how that is mended."""
        if vouched := self._vouched.get((product, user)):
            return vouched
        known = self._known.get((product, user))
        if known is None:
            raise NotAuthenticated(
                f"I do not know who {product}:{bounded(user, 60)} is, so I may show you nothing",
                mend=f"an admin adds {product}:{bounded(user, 60)}=PERSON to {SETTING}",
            )
        return Caller(known.person, roles_of(known.person, (), self._given), product)

    def users(self, product: str, by: str) -> tuple[str, ...]:
        """The users of this product who are this person."""
        if (product, by) in self._vouched:
            return (by,)
        return tuple(row.user for row in self._known.values() if row.product == product and people.same(row.person, by))

    def who_may_decide(self, product: str) -> tuple[Known, ...]:
        """Persons with a role that decides by name; a role that everybody has names nobody."""
        named = {item.casefold() for role in (Role.APPROVER, Role.ADMIN) for item in self._given.get(role, ())}
        return tuple(row for row in self._known.values() if row.product == product and row.person.casefold() in named)
