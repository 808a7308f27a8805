import pytest

from interfaces.cli.flags import UsageMistake, hoisted, seconds


@pytest.mark.parametrize(
    "words",
    [
        ["-n", "shop", "scan", "-o", "json"],
        ["scan", "-n", "shop", "-o=json"],
        ["scan", "-nshop", "-ojson"],
        ["scan", "--namespace=shop", "--output", "json"],
    ],
)
def test_global_flags_may_stand_before_or_after_the_command(words: list[str]) -> None:
    flags, rest = hoisted(words)
    assert (flags.namespace, flags.output, rest) == ("shop", "json", ["scan"])


def test_two_dashes_end_the_search_for_flags() -> None:
    flags, rest = hoisted(["ask", "--", "-n", "what?"])
    assert flags.namespace == ""
    assert rest == ["ask", "--", "-n", "what?"]


def test_words_that_look_like_settings_stay_words() -> None:
    assert hoisted(["config", "set", "kubernetes.context", "context=prod"])[1] == ["config", "set", "kubernetes.context", "context=prod"]


def test_a_flag_without_its_value_is_a_mistake() -> None:
    with pytest.raises(UsageMistake, match="--context needs a value"):
        hoisted(["scan", "--context"])


def test_all_namespaces_wins_over_a_namespace() -> None:
    assert hoisted(["-n", "shop", "-A"])[0].namespaces == ()
    assert hoisted(["-n", "shop,ml"])[0].namespaces == ("shop", "ml")


@pytest.mark.parametrize(("words", "level"), [(["-v"], 1), (["-v", "-v"], 2), (["-vv"], 2), ([], 0)])
def test_v_may_be_repeated(words: list[str], level: int) -> None:
    assert hoisted(words)[0].verbose == level


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_times_have_units(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5y", "nan", "inf", "1e12"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageMistake):
        seconds(text)


def test_color_takes_three_words_only() -> None:
    with pytest.raises(UsageMistake, match="auto, always or never"):
        hoisted(["--color", "sometimes"])
