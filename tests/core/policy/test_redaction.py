import base64
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policy.redaction import random_looking, redact, redact_data

# put together here, so that the file itself holds nothing that looks like a secret to a scanner
BODY = "4f8aK2mZ9qLx7RtB3vYc6WnD1sHg5JpE0uTi"
JWT = "eyJ" + "hbGciOiJFZERTQSJ9" + "." + "eyJ" + "zdWIiOiJhbmEifQ" + "." + "c2lnbmF0dXJl"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow" + BODY + "\n" + BODY + "==\n-----END RSA " + "PRIVATE KEY-----"
TOKENS = [
    "gh" + "p_" + BODY,
    "github" + "_pat_" + BODY,
    "gl" + "pat-" + BODY[:20],
    "xo" + "xb-123456789012-" + BODY[:24],
    "sk" + "_live_" + BODY[:24],
    "s" + "k-proj-" + BODY,
    "AI" + "za" + BODY[:35],
    "np" + "m_" + BODY,
    "hv" + "s." + BODY,
    "AK" + "IA" + "IOSFODNN7EXAMPLE",
    JWT,
]
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"

SECRETS = [
    *[(f"using {token} now", token) for token in TOKENS],
    (f"Authorization: Bearer {BODY}", BODY),
    (f"authorization: bearer {BODY[:14]}", BODY[:14]),
    ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    (PEM, "MIIEow"),
    (PEM[:60], "MIIEow"),
    ("postgres://app:s3cr%40t@db.shop:5432/app", "s3cr%40t"),
    ("redis://:onlypass@cache:6379", "onlypass"),
    ("password=hunter2", "hunter2"),
    ("PASSWORD: hunter2", "hunter2"),
    ("PGPASSWORD='my long phrase'", "my long phrase"),
    ('{"password": "hunter2", "user": "approver-a"}', "hunter2"),
    ('{"password":"with \\" quote"}', "with"),
    ('{\\"password\\":\\"hunter2\\"}', "hunter2"),
    ("db_password => hunter2;", "hunter2"),
    ("client_secret=abc&grant=x", "abc"),
    ("api-key: k", ": k"),
    ("X-Api-Key=12345", "12345"),
    ("aws_secret_access_key = " + AWS_SECRET, AWS_SECRET),
    ("the value " + AWS_SECRET + " leaked", AWS_SECRET),
    ("mysql -u root --password hunter2 -h db", "hunter2"),
    ('args: ["--token", "abcdEFGH1234"]', "abcdEFGH1234"),
    ("Set-Cookie: sid4f8aK2mZ9q; Path=/", "sid4f8aK2mZ9q"),
    ("session_id=4f8aK2mZ9q", "4f8aK2mZ9q"),
    ("secret password=hunter2", "hunter2"),
    ("token: password=hunterx", "hunterx"),
    ("password=one password=two", "two"),
    ("password=" + "x" * 5000, "x" * 100),
    (".dockerconfigjson " + base64.b64encode(f'{{"auths":{{"registry.example":{{"auth":"{BODY}"}}}}}}'.encode()).decode(), "eyJhdXRocyI6"),
]
INNOCENT = [
    "registry.shop.example/checkout@sha256:" + "0a9b3c" * 10 + "0a9b",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "pod checkout-7d9c6b5f4-x2x9z uid 6f1c1a52-8f7e-4d0d-9d7e-3d7a4b1c2d3e",
    "pod-template-hash=7d9c6b5f4 controller-revision-hash=ledger-db-5f7b9c6d8",
    "resourceVersion: 182736455 generation: 12",
    "containerd://9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "git commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "automountServiceAccountToken: false",
    "secretName: db-credentials-v2",
    'MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found',
    "secretKeyRef: {name: db, key: url}",
    "password is required",
    "password: null",
    "token=true",
    "unexpected token: foo",
    "max_tokens=4096 tokens: 512",
    "panic: config key PAYMENT_TIMEOUT missing",
    "bearer of bad news",
    "http://prometheus.monitoring.svc:9090/api/v1/query?match=a@b",
    'sum(rate(container_cpu_usage_seconds_total{namespace="shop", pod=~"catalog-.*"}[5m])) by (container)',
    "spec.template.spec.containers[api].resources.requests.cpu",
    "HorizontalPodAutoscalerV2Beta2BehaviorScalingPolicies",
    "autoscaling.x-k8s.io/v1alpha1/VerticalPodAutoscalerCheckpoint",
    "/apis/apps/v1/namespaces/shop/deployments/checkout/scale?dryRun=All",
    "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
    "act-7f3c01aa fnd-3fa9c2d1ee ev-0123456789",
    "2026-11-23T12:20:00.123456Z",
    "ip-10-0-12-34.eu-central-1.compute.internal i-0abcd1234ef567890",
    "author: Foo1234567",
    "arn:aws:iam::123456789012:role/eks-nodegroup-NodeInstanceRole",
    "",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS, ids=[text[:40] for text, _ in SECRETS])
def test_secrets_go(text: str, secret: str) -> None:
    assert secret in text
    redacted = redact(text)
    assert secret not in redacted
    assert "[redacted: " in redacted


@pytest.mark.parametrize("text", INNOCENT)
def test_what_people_need_to_read_stays(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    assert redact('{"user":"approver-a","password":"x y","n":3}') == '{"user":"approver-a","password":"[redacted: secret]","n":3}'
    assert redact("postgres://app:pw@db/app?sslmode=require") == "postgres://app:[redacted: password]@db/app?sslmode=require"
    assert redact(f"a {PEM} b") == "a [redacted: private key] b"


@pytest.mark.parametrize("text", [text for text, _ in SECRETS])
def test_twice_is_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


PIECES = [*"abZ019 =:\"'\\-./@{}\n", "password", "token", "eyJ", "https://", "--", "bearer ", "-----BEGIN PRIVATE KEY-----"]


@settings(max_examples=500, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_survived_and_twice_is_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(("size", "least"), [(24, 900), (32, 960), (40, 980), (64, 995)])
def test_random_strings_are_noticed_almost_always(size: int, least: int) -> None:
    source = random.Random(7)
    tries = ["".join(source.choices(string.ascii_letters + string.digits, k=size)) for _ in range(1000)]
    assert sum(map(random_looking, tries)) >= least


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**9), size=st.integers(24, 128))
def test_hexadecimal_and_lower_case_names_never_are(seed: int, size: int) -> None:
    source = random.Random(seed)
    assert not random_looking("".join(source.choices("0123456789abcdef", k=size)))
    assert not random_looking("".join(source.choices("bcdfghjklmnpqrstvwxz2456789-", k=size)))


@pytest.mark.parametrize(
    "piece", ["a", "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "password=", 'password="', "http://a:", "a://", "Ab1", "--token "]
)
def test_the_time_is_linear_whatever_the_text(piece: str) -> None:
    """Two hundred thousand characters end well inside the test's own time limit; a quadratic pattern would take hours."""
    assert redact(piece * (200_000 // len(piece))) is not None


def test_data_is_redacted_by_key_by_kind_and_by_text() -> None:
    found = redact_data(
        {
            "kind": "Secret",
            "metadata": {"name": "db"},
            "data": {"url": "cG9zdGdyZXM="},
            "stringData": {"user": "approver-a"},
            "list": [{"apiKey": "short"}, {"token": "true"}, f"Bearer {BODY}"],
            "count": 3,
        }
    )
    assert found == {
        "kind": "Secret",
        "metadata": {"name": "db"},
        "data": {"url": "[redacted: secret]"},
        "stringData": {"user": "[redacted: secret]"},
        "list": [{"apiKey": "[redacted: secret]"}, {"token": "true"}, "Bearer [redacted: token]"],
        "count": 3,
    }


def test_the_data_of_other_kinds_stays() -> None:
    assert redact_data({"kind": "ConfigMap", "data": {"mode": "fast"}}) == {"kind": "ConfigMap", "data": {"mode": "fast"}}
