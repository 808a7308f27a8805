"""Where the API server is and who we are: from a kubeconfig, or from the service account inside a cluster. Called by the composition roots.

A kubeconfig may name programs to run (`exec`, `auth-provider`); running what a file says is code execution (CVE-2022-24817), so such
files are refused with the way out. Sources: kubeconfig v1 reference; CVE-2026-23990 for empty identities.
"""

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from core.domain.errors import InvalidInput
from core.domain.values import bounded

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT = Path("~/.kube/config")


@dataclass(frozen=True, repr=False)
class Connection:
    """How to reach one API server. PEM texts and the token are secrets: they are never shown.

    `as_user` with `as_groups` asks the server to take each request as that user's (impersonation). `request_seconds` is the deadline of one
    request, None for none.
    """

    server: str
    context: str
    namespace: str = "default"
    ca: str = ""
    certificate: str = ""
    key: str = ""
    token: str = ""
    token_file: str = ""
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    request_seconds: float | None = 30.0

    def __repr__(self) -> str:
        return f"Connection(server={self.server!r}, context={self.context!r})"


def load(kubeconfig: Path | None, context: str = "", *, server: str = "", account: Path = IN_CLUSTER) -> Connection:
    """`account` is where a pod has its service account. `server` stands in for the kubeconfig's address, as kubectl's `--server` does; its
    CA still has to fit.

    Raises InvalidInput with the mend for a missing file, an unknown context, an address that would show our credentials on the way, or
    credentials that we do not use.
    """
    found = _loaded(kubeconfig, context, account)
    if not server:
        return found
    parts = urlsplit(server)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise InvalidInput(f"{bounded(server, 100)!r} is no address of an API server", mend="such as --server https://10.0.0.1:6443")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InvalidInput(f"{bounded(server, 100)} would carry our credentials unencrypted", mend="use its https address")
    return replace(found, server=server.rstrip("/"))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _loaded(kubeconfig: Path | None, context: str, account: Path) -> Connection:
    if kubeconfig is None and account.joinpath("token").exists() and not DEFAULT.expanduser().exists():
        return _in_cluster(account)
    path = (kubeconfig or DEFAULT).expanduser()
    document = _read(path)
    name = context or str(document.get("current-context") or "")
    contexts = _named(document, "contexts", "context")
    if not name:
        raise InvalidInput(f"{path} has no current context", mend="choose one with --context, or: kubectl config use-context NAME")
    if name not in contexts:
        known = ", ".join(sorted(contexts)) or "none"
        raise InvalidInput(f"context {name!r} is not in {path}", mend=f"choose one of: {known}")
    chosen = contexts[name]
    cluster = _named(document, "clusters", "cluster").get(str(chosen.get("cluster")))
    user = _named(document, "users", "user").get(str(chosen.get("user")), {})
    if not cluster or not cluster.get("server"):
        raise InvalidInput(
            f"context {name!r} names a cluster that {path} does not describe", mend="kubectl config view --minify shows what is missing"
        )
    _refuse_programs(user, path)
    if cluster.get("insecure-skip-tls-verify"):
        raise InvalidInput(f"{path} switches TLS verification off", mend="put the cluster's CA into certificate-authority-data instead")
    return _connection(name, chosen, cluster, user, path.parent)


def _connection(name: str, chosen: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any], base: Path) -> Connection:
    return Connection(
        server=str(cluster["server"]).rstrip("/"),
        context=name,
        namespace=str(chosen.get("namespace") or "default"),
        ca=_pem(cluster, "certificate-authority", base),
        certificate=_pem(user, "client-certificate", base),
        key=_pem(user, "client-key", base),
        token=str(user.get("token") or ""),
        token_file=str(user.get("tokenFile") or ""),
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(
            f"no kubeconfig at {path}", mend="name one with --kubeconfig FILE, or try without a cluster: day2 demo"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the kubeconfig {path}: {error}", mend="check its permissions and encoding") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise InvalidInput(f"{path}{place} is no YAML", mend="kubectl config view shows whether kubectl can read it") from error
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{path} is no kubeconfig", mend="it should be a mapping with clusters, users and contexts")
    return document


def _named(document: Mapping[str, Any], collection: str, inner: str) -> dict[str, dict[str, Any]]:
    found = {}
    rows = document.get(collection)
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and isinstance(row.get(inner), Mapping):
            found[str(row.get("name"))] = dict(row[inner])
    return found


def _refuse_programs(user: Mapping[str, Any], path: Path) -> None:
    for key in ("exec", "auth-provider"):
        if user.get(key):
            raise InvalidInput(
                f"{path} asks to run a program for credentials ({key}); day2 does not run programs that a file names",
                mend="make a token for a service account: kubectl create token NAME --duration=8h, and put it into a kubeconfig of its own",
            )


def _pem(section: Mapping[str, Any], key: str, base: Path) -> str:
    """Inline data wins over a file, as in kubectl; relative paths start at the kubeconfig."""
    if data := section.get(f"{key}-data"):
        try:
            return base64.b64decode(str(data), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInput(
                f"{key}-data in the kubeconfig is not base64 of a PEM text", mend="copy it again from the cluster's admin"
            ) from error
    if name := section.get(key):
        try:
            return (base / str(name)).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"cannot read {key} {name}: {error}", mend="check the path in the kubeconfig") from error
    return ""


def _in_cluster(account: Path) -> Connection:
    return Connection(
        server="https://kubernetes.default.svc",
        context="in-cluster",
        namespace=account.joinpath("namespace").read_text(encoding="utf-8").strip(),
        ca=account.joinpath("ca.crt").read_text(encoding="ascii"),
        token_file=str(account / "token"),
    )
