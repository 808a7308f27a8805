"""What a chat product must be able to do, and its twin."""

from dataclasses import dataclass, field
from typing import Protocol

from core.domain.chats import Place
from core.domain.errors import Unavailable
from interfaces.chat.values import Dialog, Picture, Said


class Chat(Protocol):
    """Every call raises Unavailable where the product does not answer, or asks for patience longer than we have."""

    @property
    def product(self) -> str: ...

    async def send(self, place: Place, said: Said) -> str:
        """The product's id of the message."""

    async def update(self, place: Place, message: str, said: Said) -> None: ...

    async def privately(self, place: Place, user: str, said: Said) -> None:
        """Only this user sees it."""

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        """Open a dialog for who pressed."""

    async def show(self, place: Place, picture: Picture) -> None: ...

    async def directly(self, user: str, said: Said) -> None:
        """A message to this person alone, outside of any conversation."""


@dataclass
class MemoryChat:
    """The twin: remembers what was said, and where. `down` makes every call fail."""

    product: str = "memory"
    sent: dict[str, tuple[Place, Said]] = field(default_factory=dict)
    edits: list[tuple[str, Said]] = field(default_factory=list)
    private: list[tuple[Place, str, Said]] = field(default_factory=list)
    dialogs: list[tuple[str, Dialog]] = field(default_factory=list)
    pictures: list[tuple[Place, Picture]] = field(default_factory=list)
    direct: list[tuple[str, Said]] = field(default_factory=list)
    down: bool = False

    async def send(self, place: Place, said: Said) -> str:
        self._answer()
        name = f"m{len(self.sent) + 1}"
        self.sent[name] = (place, said)
        return name

    async def update(self, place: Place, message: str, said: Said) -> None:
        self._answer()
        self.sent[message] = (place, said)
        self.edits.append((message, said))

    async def privately(self, place: Place, user: str, said: Said) -> None:
        self._answer()
        self.private.append((place, user, said))

    async def ask(self, trigger: str, dialog: Dialog) -> None:
        self._answer()
        self.dialogs.append((trigger, dialog))

    async def show(self, place: Place, picture: Picture) -> None:
        self._answer()
        self.pictures.append((place, picture))

    async def directly(self, user: str, said: Said) -> None:
        self._answer()
        self.direct.append((user, said))

    def _answer(self) -> None:
        if self.down:
            raise Unavailable(self.product, reason="down in this test")
