"""Where settings come from, and the profiles in their files."""

from pathlib import Path

import pytest

from core.domain.errors import InvalidInput
from runtime import settings
from runtime.services import configuring

FILE = """\
flow: {consult_seconds: 9, poll_seconds: 2}
profiles:
  prod:
    kubernetes: {context: prod-eu}
    flow: {consult_seconds: 11}
  staging:
    flow: {consult_seconds: 12}
"""


def written(path: Path, text: str = FILE) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def explained(loaded: settings.Loaded, key: str) -> tuple[object, str]:
    found = configuring.get(loaded, key)
    return found.value, found.source


def test_a_profile_wins_over_the_files_and_loses_to_variables_and_flags(tmp_path: Path) -> None:
    file = written(tmp_path / "day2.yaml")
    plain = settings.load(environment={}, files=(file,))
    chosen = settings.load({"profile": "prod"}, environment={"DAY2_KUBERNETES__CONTEXT": "mine"}, files=(file,))
    assert explained(plain, "flow.consult_seconds") == (9, str(file))
    assert explained(chosen, "flow.consult_seconds") == (11, f"{file} profile prod")
    assert explained(chosen, "flow.poll_seconds") == (2.0, str(file))
    assert explained(chosen, "kubernetes.context") == ("mine", "environment DAY2_KUBERNETES__CONTEXT")
    assert explained(chosen, "profile") == ("prod", "flag")


def test_a_profile_is_chosen_by_a_variable_or_by_the_file_itself(tmp_path: Path) -> None:
    file = written(tmp_path / "day2.yaml", "profile: staging\n" + FILE)
    assert settings.load(environment={}, files=(file,)).settings.flow.consult_seconds == 12
    assert settings.load(environment={"DAY2_PROFILE": "prod"}, files=(file,)).settings.flow.consult_seconds == 11
    assert settings.load({"profile": "default"}, environment={}, files=(file,)).settings.flow.consult_seconds == 9


def test_profiles_of_one_name_are_joined_and_the_stronger_file_wins(tmp_path: Path) -> None:
    strong = written(tmp_path / "strong.yaml", "profiles: {prod: {flow: {consult_seconds: 21}}}\n")
    weak = written(tmp_path / "weak.yaml")
    found = settings.load({"profile": "prod"}, environment={}, files=(strong, weak)).settings
    assert (found.flow.consult_seconds, found.kubernetes.context) == (21, "prod-eu")


def test_an_unknown_profile_is_answered_with_the_nearest_or_with_all(tmp_path: Path) -> None:
    file = written(tmp_path / "day2.yaml")
    with pytest.raises(InvalidInput, match="no profile 'prdo'") as near:
        settings.load({"profile": "prdo"}, environment={}, files=(file,))
    assert near.value.mend == "did you mean prod?"
    with pytest.raises(InvalidInput) as far:
        settings.load({"profile": "xyz"}, environment={}, files=(file,))
    assert "prod, staging" in far.value.mend
    with pytest.raises(InvalidInput) as none:
        settings.load({"profile": "demo"}, environment={}, files=())
    assert "profiles: " in none.value.mend


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profiles: {prod: {flow: {consult_secs: 1}}}", "unknown setting 'flow.consult_secs'"),
        ("profiles: {prod: {flow: {consult_seconds: soon}}}", "flow.consult_seconds from "),
        ("profiles: {demo: {clock: system}}", "reserved"),
        ("profiles: {prod: {profile: staging}}", "choose no profile itself"),
        ("profiles: {prod: 3}", "should be a mapping of settings"),
        ("profiles: [prod]", "should be a mapping of names"),
        ("profiles: {prod: {profiles: {a: {}}}}", "unknown setting 'profiles'"),
    ],
)
def test_a_profile_that_nobody_chose_is_checked_too(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        settings.load(environment={}, files=(written(tmp_path / "day2.yaml", text),))
    assert said in str(caught.value)


def test_a_mistake_in_a_profile_has_its_line(tmp_path: Path) -> None:
    file = written(tmp_path / "day2.yaml", FILE + "    clok: system\n")
    with pytest.raises(InvalidInput, match=r"day2.yaml:8: unknown setting 'clok'"):
        settings.load(environment={}, files=(file,))


def test_nobody_is_read_as_by_an_empty_name_or_by_groups_alone() -> None:
    for environment in ({"DAY2_KUBERNETES__AS_USER": ""}, {"DAY2_KUBERNETES__AS_GROUPS": "sre"}):
        with pytest.raises(InvalidInput):
            settings.load(environment=environment, files=())
    found = settings.load(environment={"DAY2_KUBERNETES__AS_USER": "jane", "DAY2_KUBERNETES__AS_GROUPS": "sre, ops"}, files=()).settings
    assert (found.kubernetes.as_user, found.kubernetes.as_groups) == ("jane", ("sre", "ops"))
