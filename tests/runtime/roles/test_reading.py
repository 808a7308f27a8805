"""As whom this process reads; judge and executor are never told."""

import json
from pathlib import Path

from runtime.roles import everything, reading
from runtime.settings import GateSettings, KubernetesSettings, Settings, StoreSettings


def kubeconfig(path: Path, token: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "me"}}],
        "clusters": [{"name": "prod", "cluster": {"server": "https://10.0.0.1:6443"}}],
        "users": [{"name": "me", "user": {"token": token}}],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def settings_of(folder: Path, **kubernetes: object) -> Settings:
    own = {"kubeconfig": kubeconfig(folder / "mine", "mine"), "read_kubeconfig": kubeconfig(folder / "reader", "reader")}
    wanted = KubernetesSettings.model_validate(own | kubernetes)
    return Settings(kubernetes=wanted, store=StoreSettings(data_dir=folder), gate=GateSettings(guard="off"))


def test_without_impersonation_the_readers_identity_reads(tmp_path: Path) -> None:
    found = reading.connection_of(settings_of(tmp_path))
    assert (found.token, found.as_user, found.request_seconds) == ("reader", "", 30.0)


def test_impersonation_is_asked_for_by_the_persons_own_identity(tmp_path: Path) -> None:
    found = reading.connection_of(settings_of(tmp_path, as_user="jane", as_groups=["sre"]))
    assert (found.token, found.as_user, found.as_groups) == ("mine", "jane", ("sre",))


def test_no_deadline_is_a_deadline_of_zero(tmp_path: Path) -> None:
    assert reading.connection_of(settings_of(tmp_path, request_seconds=0)).request_seconds is None


def test_judge_and_executor_get_the_server_and_nobody_to_impersonate(tmp_path: Path) -> None:
    wanted = settings_of(tmp_path, as_user="jane", as_groups=["sre"], server="https://10.9.9.9:6443")
    for role in ("judge", "executor"):
        told = everything.role_settings(wanted, role)
        assert told.server == "https://10.9.9.9:6443"
        assert "jane" not in told.model_dump_json()
        assert "sre" not in told.model_dump_json()
