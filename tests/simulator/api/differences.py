"""Where the simulator answers otherwise than the real API server, by name. `docs/simulator.md` lists this table.

A step that is named here must differ, and no other may: what is mended leaves the table.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """One difference. `steps` are recorded steps that show it, as "sequence/step"; none where no sequence can."""

    name: str
    about: str
    steps: tuple[str, ...] = ()


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "an empty list of a role's rules is nobody's",
        "The API server shows `rules: null` for a role made with an empty list, and its writer owns `f:rules`; here the field is absent.",
        (
            "drawn 018/7 POST",
            "drawn 018/8 POST",
            "drawn 018/10 PATCH",
            "drawn 019/8 POST",
            "drawn 019/10 PATCH",
            "drawn 151/1 POST",
            "drawn 152/1 POST",
            "drawn 153/1 POST",
        ),
    ),
    Difference(
        "a resize that asks for an image keeps its owner",
        "The API server takes the image's ownership from the container's writer though it ignores the image.",
        (
            "resize of a pod that has not started/4",
            "resize of a pod that has not started/5",
        ),
    ),
    Difference(
        "the time of a status entry after a scale of a custom resource",
        "The API server drops the time of the entry that owned the status; here it stays.",
        ("custom: status and scale/8",),
    ),
    Difference(
        "pod groups are served",
        "`scheduling.k8s.io/v1beta1` is behind a feature gate there, and always on here.",
        ("discovery of scheduling.k8s.io/v1/2",),
    ),
    Difference(
        "bindings and component statuses are no resources",
        "Pods are bound by `pods/binding`; component statuses are deprecated.",
        ("discovery of the core/1",),
    ),
    Difference(
        "a wrong type in a strategic patch",
        "The API server quotes its own map and says `cannot convert int64 to string`; here it is a decoding error. The code is the same.",
        ("drawn 000/6 PATCH",),
    ),
    Difference(
        "a selected page always ends where the selection ends",
        "The API server may give a `continue` after which nothing follows, because it pages before it selects.",
        (
            "drawn 090/5 GET",
            "drawn 090/6 GET",
        ),
    ),
    Difference(
        "a PUT of a job without its selector",
        "The API server refuses it; here the selector is filled in from the stored job.",
        (
            "drawn 115/8 PUT",
            "drawn 115/9 GET",
        ),
    ),
    Difference("no CEL rules of definitions", "`x-kubernetes-validations` and selectable fields of definitions are not evaluated."),
    Difference("no conversion between versions of a definition", "All versions of a custom resource share one stored shape."),
    Difference("no exec, attach, port-forward and proxy", "They are advertised and answer 501 with their name."),
    Difference("no admission policies and webhooks on calls", "Their kinds are stored; only pods of controllers meet mutating webhooks."),
    Difference("tokens are no JWT", "A token of an account is opaque; its audiences are stored and not checked."),
    Difference("quotas count pods and objects", "Storage by class, scopes and priority classes of quotas are stored and not enforced."),
    Difference("answers are JSON", "Protobuf is read where kubectl sends it, and never written; YAML is read only."),
    Difference("no flow control", "No request is queued or refused for load; priority levels are stored."),
    Difference(
        "deletion is finished in the same moment",
        "Dependents of an owner that is deleted in the foreground, and instances of a deleted definition, go at once.",
    ),
)
BY_STEP = {step: difference.name for difference in DIFFERENCES for step in difference.steps}
