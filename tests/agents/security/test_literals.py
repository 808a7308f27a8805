"""SEC-108 and SEC-109: what is found, what is not, and that no value of a secret gets into a finding."""

import pytest

from agents.catalogue import AGENTS
from agents.security.literals import moves
from core.domain.finding import Finding
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import container, looked_at, pod, replica_set, workload

SECURITY = next(agent for agent in AGENTS if agent.name == "security")


def found(code: str, **of_container: object) -> list[Finding]:
    home = workload(spec={"template": {"spec": {"containers": [container(**of_container)]}}})
    items: list[Json] = [home, replica_set(home), pod(replica_set(home))]
    return [finding for finding in looked_at(items, agent=SECURITY).findings if finding.code == code]


SECRETS = {
    "DB_PASSWORD": "correct-horse-battery",
    "API_KEY": "Zm9vYmFyYmF6cXV4",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    "GITHUB": "ghp_" + "a1B2c3D4e5" * 4,
    "DATABASE_URL": "postgres://shop:hunter2hunter2@db.shop.svc:5432/shop",
    "SETTINGS": "Xk29fLq8ZvB3nTr6YwP1sDgH5jKm",
}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_is_found_and_its_value_is_told_to_nobody(name: str) -> None:
    (finding,) = found("SEC-108", env=[{"name": name, "value": SECRETS[name]}])
    assert name in finding.title
    text = finding.model_dump_json()
    assert SECRETS[name] not in text
    assert "hunter2" not in text
    assert f"{len(SECRETS[name])} characters" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("DB_PASSWORD", "$(FROM_ELSEWHERE)"),
        ("TOKEN_TTL_SECONDS", "3600"),
        ("SESSION_TIMEOUT", "30m"),
        ("AUTH_ENABLED", "true"),
        ("DATABASE_URL", "postgres://db.shop.svc:5432/shop"),
        ("WEB", "http://web.apps.svc.cluster.local:80/"),
        ("LOG_LEVEL", "information"),
        ("SECRET_REF", "vault:kv/shop/db"),
        ("IMAGE_DIGEST", "sha256:" + "0f" * 32),
        ("PASSWORD", ""),
    ],
)
def test_what_is_no_secret_is_not_told(name: str, value: str) -> None:
    assert found("SEC-108", env=[{"name": name, "value": value}]) == []


def test_a_reference_to_a_secret_is_no_secret() -> None:
    source = {"secretKeyRef": {"name": "db", "key": "password"}}
    assert found("SEC-108", env=[{"name": "DB_PASSWORD", "valueFrom": source}]) == []


@pytest.mark.parametrize(
    ("image", "moving"),
    [
        ("nginx", True),
        ("nginx:latest", True),
        ("registry.example:5000/team/app", True),
        ("registry.example:5000/team/app:latest", True),
        ("nginx:1.27", False),
        ("registry.example:5000/team/app:v2", False),
        ("nginx@sha256:" + "ab" * 32, False),
        ("nginx:latest@sha256:" + "ab" * 32, False),
    ],
)
def test_an_image_moves_when_its_text_fixes_nothing(image: str, *, moving: bool) -> None:
    assert moves(image) is moving
    assert bool(found("SEC-109", image=image)) is moving
