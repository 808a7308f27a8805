"""What the API server answers when it refuses. Raised by the store and the routes, rendered by `app` as a metav1 Status.

    ApiError(Exception)      one refusal: HTTP code, machine reason, sentence, details

The constructors below carry the API server's own sentences, because clients (and our gate) recognise a refusal by its words.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]


class Cause(NamedTuple):
    """One reason inside `details.causes`. `field` is a path such as `spec.replicas`, empty when the object as a whole is meant."""

    reason: str
    message: str
    field: str = ""

    def json(self) -> Json:
        answer = {"reason": self.reason, "message": self.message}
        return {**answer, "field": self.field} if self.field else answer


class ApiError(Exception):
    """A refusal. `code` is the HTTP status; `details` is StatusDetails as JSON."""

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def status(self) -> Json:
        """The metav1 Status that clients parse."""
        answer: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        if self.reason:
            answer["reason"] = self.reason
        if self.details:
            answer["details"] = self.details
        return {**answer, "code": self.code}


def qualified(group: str, plural: str) -> str:
    """`deployments.apps`, or `pods` for the core group."""
    return f"{plural}.{group}" if group else plural


def _details(group: str, plural: str, name: str = "", causes: Sequence[Cause] = ()) -> Json:
    fields: Json = {"name": name, "group": group, "kind": plural, "causes": [cause.json() for cause in causes]}
    return {key: value for key, value in fields.items() if value}


def not_found(group: str, plural: str, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{qualified(group, plural)} "{name}" not found', _details(group, plural, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(group: str, plural: str, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{qualified(group, plural)} "{name}" already exists', _details(group, plural, name))


_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(group: str, plural: str, name: str, why: str = _MODIFIED) -> ApiError:
    message = f'Operation cannot be fulfilled on {qualified(group, plural)} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(group, plural, name))


def forbidden(group: str, plural: str, name: str, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    named = f' "{name}"' if name else ""
    return ApiError(403, "Forbidden", f"{qualified(group, plural)}{named} is forbidden: {why}", _details(group, plural, name, causes))


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with one cause per broken field; several are listed in brackets as the API server does."""
    each = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    text = each[0] if len(each) == 1 else f"[{', '.join(each)}]"
    shown = qualified(group, kind)
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {text}', _details(group, kind, name, causes))


def invalid_of(group: str, plural: str, name: str, cause: Cause) -> ApiError:
    """As `invalid` for one cause, where the API server names the resource and not the kind."""
    message = f'{qualified(group, plural)} "{name}" is invalid: {cause.field}: {cause.message}'
    return ApiError(422, "Invalid", message, _details(group, plural, name, [cause]))


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported_media(got: str, accepted: Sequence[str]) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)} (got {got})"
    return ApiError(415, "UnsupportedMediaType", message)


def unsupported_patch(accepted: Sequence[str]) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message)


def too_many_requests(message: str, causes: Sequence[Cause] = ()) -> ApiError:
    return ApiError(429, "TooManyRequests", message, {"causes": [cause.json() for cause in causes]} if causes else None)


def not_done(what: str) -> ApiError:
    """501 that names what the simulator leaves out, so that nobody takes it for an absent object."""
    return ApiError(501, "NotImplemented", f"the simulator does not do {what}")
