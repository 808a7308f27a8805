"""One Kubernetes object, pinned by uid: a new object under an old name is another target."""

from pydantic import Field

from core.domain.values import Value


class Target(Value):
    """`cluster` is the uid of the namespace kube-system. Cluster-scoped objects have an empty namespace."""

    cluster: str = Field(min_length=1, max_length=64)
    group: str = Field(default="", max_length=253, description="API group, empty for core")
    kind: str = Field(min_length=1, max_length=63)
    namespace: str = Field(default="", max_length=63)
    name: str = Field(min_length=1, max_length=253)
    uid: str = Field(min_length=1, max_length=64)

    @property
    def path(self) -> str:
        """`deployment/checkout`, as the screens say it."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def qualified(self) -> str:
        return f"{self.namespace}/{self.path}" if self.namespace else self.path
