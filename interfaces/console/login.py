"""Login by an OpenID provider: authorization code with PKCE, state and nonce. authlib speaks to it, joserfc checks what it signed."""

import logging
import secrets
from asyncio import timeout
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from core.domain import people
from core.domain.errors import InvalidInput, NotAuthenticated, Unavailable
from runtime.settings import OidcSettings

log = logging.getLogger(__name__)
SCOPE = "openid email profile"
PATIENCE_SECONDS = 10.0
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Of a signature only: no `none`, and nothing that is signed with our own secret."""
WAY = "oidc:"
MOST_GROUPS = 200


class Started(NamedTuple):
    """What must come back unchanged. Kept in a cookie that scripts cannot read; `next` is where the person wanted to go."""

    state: str
    nonce: str
    verifier: str
    next: str
    again: bool = False


class Proven(NamedTuple):
    by: str
    groups: tuple[str, ...]


class Provider:
    """One provider. `redirect` is the address of ours that it sends people back to."""

    def __init__(self, told: OidcSettings, redirect: str) -> None:
        self._told, self._redirect = told, redirect

    async def start(self, after: str, *, again: bool = False) -> tuple[str, Started]:
        """Where the browser goes, and what to keep. `again` asks for the password even of who is logged in. Raises Unavailable."""
        started = Started(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), after, again)
        more = {"prompt": "login", "max_age": "0"} if again else {}
        async with self._client() as client:
            found = await self._metadata(client)
            where, _ = client.create_authorization_url(
                found["authorization_endpoint"], state=started.state, nonce=started.nonce, code_verifier=started.verifier, **more
            )
        return str(where), started

    async def finish(self, address: str, query: Mapping[str, str], started: Started) -> Proven:
        """Who came back. Raises NotAuthenticated for everything that does not fit, Unavailable where the provider does not answer."""
        if not secrets.compare_digest(query.get("state", "").encode(), started.state.encode()):
            raise NotAuthenticated("this login was not begun here", mend="log in again")
        if said := query.get("error"):
            raise NotAuthenticated(f"the login provider says {said[:60]}: {query.get('error_description', '')[:200]}", mend="log in again")
        async with self._client() as client:
            found = await self._metadata(client)
            token = await _asked(
                client.fetch_token(found["token_endpoint"], authorization_response=address, code_verifier=started.verifier)
            )
            keys = (await _asked(client.get(found["jwks_uri"], withhold_token=True))).json()
        return self._proven(token, keys, started, str(found["issuer"]))

    def _proven(self, token: Mapping[str, Any], keys: Any, started: Started, issuer: str) -> Proven:
        registry = jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._told.client_id},
            nonce={"essential": True, "value": started.nonce},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(str(token.get("id_token", "")), KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotAuthenticated(f"what the login provider signed does not fit: {type(error).__name__}", mend="log in again") from error
        if started.again and "auth_time" in claims and claims["iat"] - claims["auth_time"] > 300:
            raise NotAuthenticated("the provider did not ask who you are again", mend="log out at the provider, then log in again")
        return Proven(_name(claims), _groups(claims.get(self._told.groups_claim)))

    async def _metadata(self, client: Any) -> Mapping[str, Any]:
        address = f"{self._told.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = await _asked(client.get(address, withhold_token=True))
        found = answer.json() if answer.status_code == 200 else {}
        if found.get("issuer", "").rstrip("/") != self._told.issuer.rstrip("/"):
            raise Unavailable("the login provider", 5.0, reason=f"no metadata of {self._told.issuer}", mend="check oidc.issuer")
        return dict(found)

    def _client(self) -> Any:
        secret = _secret(self._told.client_secret_file)
        method = "client_secret_basic" if secret else "none"
        return AsyncOAuth2Client(
            self._told.client_id,
            secret or None,
            token_endpoint_auth_method=method,
            scope=SCOPE,
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            timeout=PATIENCE_SECONDS,
        )


async def _asked(call: Any) -> Any:
    """One call of the provider. What its client raises is not ours to list: it did not answer, whatever it was."""
    try:
        async with timeout(PATIENCE_SECONDS):
            return await call
    except OAuthError as error:
        raise NotAuthenticated(f"the login provider refuses: {error.error[:80]}", mend="log in again") from error
    except Exception as error:
        log.warning("the login provider: %s: %s", type(error).__name__, error)
        raise Unavailable("the login provider", 5.0, reason=type(error).__name__, mend="try again; what you wanted is kept") from error


def _secret(file: Path | None) -> str:
    """Raises InvalidInput."""
    if file is None:
        return ""
    try:
        return file.expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidInput(f"oidc.client_secret_file cannot be read: {error.strerror}", mend="check its path and mode") from error


def _name(claims: Mapping[str, Any]) -> str:
    """The e-mail address where the provider vouches for it, else its own id. Raises NotAuthenticated."""
    mail = claims.get("email") if claims.get("email_verified") is True else ""
    name = f"{WAY}{mail or claims['sub']}"
    if len(name) > people.LONGEST or not name.isprintable() or " " in name:
        raise NotAuthenticated("the provider's name for you cannot be kept", mend="use an account with a shorter, plain name")
    return name


def _groups(found: Any) -> tuple[str, ...]:
    rows = found if isinstance(found, list) else [found] if isinstance(found, str) else []
    return tuple(str(item)[:200] for item in rows[:MOST_GROUPS])
