"""Packages come from where the user's own pip and uv settings say, in uv's words."""

from pathlib import Path

from package_index import for_pip, for_uv, pip_files, pip_settings, translated

FILE = """
[global]
index-url = https://packages.example/simple
extra_index_url =
    https://one.example/simple
    https://two.example/simple
trusted-host = packages.example
timeout = 60
proxy = http://proxy.example:3128

[install]
no-index = true
"""


def settings(tmp_path: Path, environ: dict[str, str], text: str = FILE) -> dict[str, str]:
    (tmp_path / "pip.conf").write_text(text, encoding="utf-8")
    return for_uv({"HOME": str(tmp_path), **environ}, tmp_path, [tmp_path / "pip.conf"])


def test_pips_configuration_is_told_to_uv(tmp_path: Path) -> None:
    told = settings(tmp_path, {})
    assert told["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert told["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert (told["UV_INSECURE_HOST"], told["UV_HTTP_TIMEOUT"], told["UV_NO_INDEX"]) == ("packages.example", "60", "1")
    assert told["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_the_environment_wins_over_the_file_and_uvs_own_settings_over_both(tmp_path: Path) -> None:
    by_pip = settings(tmp_path, {"PIP_INDEX_URL": "https://env.example/simple"})
    by_uv = settings(
        tmp_path,
        {"PIP_INDEX_URL": "https://env.example/simple", "UV_DEFAULT_INDEX": "https://uv.example/simple", "HTTPS_PROXY": "http://mine:1"},
    )
    assert by_pip["UV_DEFAULT_INDEX"] == "https://env.example/simple"
    assert (by_uv["UV_DEFAULT_INDEX"], by_uv["HTTPS_PROXY"]) == ("https://uv.example/simple", "http://mine:1")


def test_the_users_uv_index_in_its_older_name_is_not_overruled(tmp_path: Path) -> None:
    told = settings(tmp_path, {"UV_INDEX_URL": "https://older.example/simple", "UV_EXTRA_INDEX_URL": "https://more.example/simple"})
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX"} & set(told)


def test_folders_of_wheels_that_are_not_here_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    said = {"find-links": f"{tmp_path}/wheels {tmp_path}/gone https://links.example/"}
    assert dict(translated(said)) == {"UV_FIND_LINKS": f"{tmp_path}/wheels,https://links.example/"}
    assert dict(translated({"find-links": f"{tmp_path}/gone"})) == {}


def test_nothing_said_means_nothing_told(tmp_path: Path) -> None:
    assert set(for_uv({"HOME": "h"}, tmp_path, [])) == {"HOME", "UV_PYTHON_DOWNLOADS", "UV_NO_PROGRESS"}


def test_without_a_home_folder_uv_caches_inside_the_checkout(tmp_path: Path) -> None:
    assert for_uv({}, tmp_path, [])["UV_CACHE_DIR"] == str(tmp_path / ".cache" / "uv-cache")


def test_an_unreadable_configuration_is_said_and_passed_over(tmp_path: Path, capsys) -> None:
    (tmp_path / "pip.conf").write_text("index-url outside of any section", encoding="utf-8")
    assert pip_settings({"PIP_TIMEOUT": "9"}, [tmp_path / "pip.conf"]) == {"timeout": "9"}
    assert "pip's configuration is not readable" in capsys.readouterr().err


def test_pips_files_are_those_of_this_user(tmp_path: Path) -> None:
    named = list(pip_files({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/named/pip.conf"}))
    assert tmp_path / ".config" / "pip" / "pip.conf" in named
    assert named[-1] == Path("/named/pip.conf")
    assert list(pip_files({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"})) == []


def test_pip_keeps_the_users_index_and_loses_their_targets() -> None:
    kept = for_pip(
        {
            "PIP_INDEX_URL": "https://env.example/simple",
            "PIP_TARGET": "/elsewhere",
            "PIP_REQUIRE_VIRTUALENV": "1",
            "https_proxy": "http://p:1",
        }
    )
    assert kept["PIP_INDEX_URL"] == "https://env.example/simple"
    assert kept["https_proxy"] == "http://p:1"
    assert "PIP_TARGET" not in kept
    assert kept["PIP_REQUIRE_VIRTUALENV"] == "0"
