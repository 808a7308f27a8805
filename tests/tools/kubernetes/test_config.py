import base64
import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from tools.kubernetes import config


def document(**user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": "https://cluster.example:6443/", "certificate-authority-data": base64.b64encode(b"CA").decode()},
            }
        ],
        "users": [{"name": "u", "user": user or {"token": "t0ken"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    }


def written(folder: Path, content: object) -> Path:
    path = folder / "kubeconfig"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_current_context_is_taken_with_its_namespace_and_token(tmp_path: Path) -> None:
    found = config.load(written(tmp_path, document()))
    assert (found.server, found.context, found.namespace, found.ca, found.token) == (
        "https://cluster.example:6443",
        "prod",
        "shop",
        "CA",
        "t0ken",
    )


def test_secrets_are_not_in_the_representation(tmp_path: Path) -> None:
    assert "t0ken" not in repr(config.load(written(tmp_path, document())))


def test_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "client.crt").write_text("CERT")
    (tmp_path / "client.key").write_text("KEY")
    found = config.load(written(tmp_path, document(**{"client-certificate": "client.crt", "client-key": "client.key"})))
    assert (found.certificate, found.key) == ("CERT", "KEY")


@pytest.mark.parametrize("program", ["exec", "auth-provider"])
def test_a_kubeconfig_that_names_a_program_is_refused_with_the_way_out(tmp_path: Path, program: str) -> None:
    with pytest.raises(InvalidInput, match="does not run programs") as refused:
        config.load(written(tmp_path, document(**{program: {"command": "touch", "args": ["/should/not/exist"]}})))
    assert "kubectl create token" in refused.value.mend


def test_a_missing_file_points_to_the_demo(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no kubeconfig") as refused:
        config.load(tmp_path / "nothing")
    assert "day2 demo" in refused.value.mend


def test_an_unknown_context_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="'staging' is not in") as refused:
        config.load(written(tmp_path, document()), "staging")
    assert "prod" in refused.value.mend


def test_switched_off_verification_is_refused(tmp_path: Path) -> None:
    bad = document()
    bad["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    with pytest.raises(InvalidInput, match="TLS verification"):
        config.load(written(tmp_path, bad))


@pytest.mark.parametrize("content", ["{", "- just\n- a list", "", "\u0000", "clusters: [{name: c}]\ncurrent-context: x\ncontexts: 7"])
def test_odd_files_are_told_apart_from_good_ones(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput):
        config.load(written(tmp_path, content))


def test_broken_base64_names_the_field(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="client-key-data"):
        config.load(written(tmp_path, document(**{"client-certificate-data": base64.b64encode(b"x").decode(), "client-key-data": "%%%"})))


def test_another_server_stands_in_for_the_address_and_nothing_else(tmp_path: Path) -> None:
    own, other = config.load(written(tmp_path, document())), config.load(written(tmp_path, document()), server="https://10.1.2.3:6443/")
    assert other.server == "https://10.1.2.3:6443"
    assert (other.ca, other.token, other.context) == (own.ca, own.token, own.context)


@pytest.mark.parametrize("server", ["10.1.2.3", "ftp://a", "https://", "https://me:secret@a", "https://a?x=1", "http://10.1.2.3"])
def test_an_address_that_is_none_or_would_show_our_credentials_is_refused(tmp_path: Path, server: str) -> None:
    with pytest.raises(InvalidInput):
        config.load(written(tmp_path, document()), server=server)


def test_a_context_by_name_wins_over_the_current_one_and_a_file_without_any_says_so(tmp_path: Path) -> None:
    made = document()
    made["contexts"].append({"name": "other", "context": {"cluster": made["clusters"][0]["name"], "user": "nobody"}})
    found = config.load(written(tmp_path, made), "other")
    assert (found.context, found.namespace, found.token) == ("other", "default", "")
    made.pop("current-context")
    with pytest.raises(InvalidInput, match="no current context"):
        config.load(written(tmp_path, made))


def test_a_context_of_a_cluster_that_is_not_described_says_so(tmp_path: Path) -> None:
    for change in ({"clusters": []}, {"clusters": "none"}, {"clusters": [{"name": "x"}, 7]}):
        with pytest.raises(InvalidInput, match="does not describe"):
            config.load(written(tmp_path, document() | change))
    without = document()
    without["clusters"][0]["cluster"].pop("server")
    with pytest.raises(InvalidInput, match="does not describe"):
        config.load(written(tmp_path, without))


def test_inline_data_wins_over_a_file_and_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made = document()
    cluster = made["clusters"][0]["cluster"]
    cluster |= {"certificate-authority-data": base64.b64encode(b"inline").decode(), "certificate-authority": "gone.pem"}
    assert config.load(written(tmp_path, made)).ca == "inline"
    del cluster["certificate-authority-data"]
    with pytest.raises(InvalidInput, match=r"cannot read certificate-authority gone\.pem"):
        config.load(written(tmp_path, made))


def test_a_kubeconfig_that_may_not_be_read_and_one_that_is_no_yaml_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInput, match="cannot read the kubeconfig"):
        config.load(tmp_path / "folder")
    broken = tmp_path / "broken"
    broken.write_text("a: 1\nb: [\n")
    with pytest.raises(InvalidInput, match=r"broken:3 is no YAML"):
        config.load(broken)


def test_in_a_pod_the_mounted_account_is_the_identity_unless_there_is_a_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    mounted, kubeconfig = tmp_path / "account", tmp_path / ".kube" / "config"
    for folder in (mounted, kubeconfig.parent):
        folder.mkdir()
    for name, text in (("token", "t"), ("namespace", "day2\n"), ("ca.crt", "ca")):
        (mounted / name).write_text(text)
    found = config.load(None, account=mounted)
    assert (found.server, found.context, found.namespace, found.ca) == ("https://kubernetes.default.svc", "in-cluster", "day2", "ca")
    assert found.token_file == str(mounted / "token")
    kubeconfig.write_text(json.dumps(document()))
    assert config.load(None, account=mounted).context == "prod"
    kubeconfig.unlink()
    (mounted / "token").unlink()
    with pytest.raises(InvalidInput, match="no kubeconfig"):
        config.load(None, account=mounted)
