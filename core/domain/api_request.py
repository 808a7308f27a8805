"""One request to the API server, as data. Made by the action catalogue; sent by the executor with a permit for exactly it."""

from typing import Any, Literal

from pydantic import Field

from core.domain.values import Value, digest

Verb = Literal["patch", "create", "delete"]
ContentType = Literal[
    "application/strategic-merge-patch+json", "application/json-patch+json", "application/merge-patch+json", "application/json"
]


class Right(Value):
    """One permission that an action kind needs: RBAC and the admission allow-list are generated from these."""

    verb: str
    group: str = ""
    resource: str
    subresource: str = ""

    @property
    def path(self) -> str:
        full = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.group}/{full}" if self.group else full

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


class ApiRequest(Value):
    """`body` is sent as it stands. The digest covers everything that decides the effect."""

    verb: Verb
    group: str = ""
    version: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str
    content_type: ContentType
    body: list[Any] | dict[str, Any] = Field(default_factory=dict)

    @property
    def path(self) -> str:
        """URL path on the API server. Names were checked by the API server before; they are quoted by the writer again."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{self.namespace}" if self.namespace else ""
        tail = f"/{self.subresource}" if self.subresource else ""
        return f"{root}{scope}/{self.resource}/{self.name}{tail}"

    @property
    def removes(self) -> bool:
        """An eviction is a deletion that asks the disruption budgets first."""
        return self.verb == "delete" or self.subresource == "eviction"

    @property
    def line(self) -> str:
        """Verb and path, as in an HTTP request line: what admission can see of a request, whatever its body."""
        return f"{self.verb} {self.path}"

    @property
    def makes(self) -> bool:
        """Whether it makes an object under its name, which must not be there before."""
        return self.verb == "create" and not self.subresource

    @property
    def right(self) -> Right:
        return Right(verb=self.verb, group=self.group, resource=self.resource, subresource=self.subresource)

    def digest(self) -> str:
        return digest(self)
