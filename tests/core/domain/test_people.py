"""One person is one person, whatever door and spelling; two are two where an API server told them apart."""

import pytest

from core.domain import people

ANN = people.written("c-1", "ann", "local:ops")
BOB = people.written("c-1", "bob", "local:ops")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ANN, BOB, False),  # one account, two users of the cluster
        (ANN, "local:ops", True),  # the same account, once without a cluster
        ("local:ops", BOB, True),
        (ANN, "kube:c-1:ann local:laptop", True),
        (ANN, " KUBE:c-1:ANN ", True),
        (ANN, "local:ann", False),
        (ANN, "kube:c-2:ann local:ops", True),  # two clusters say nothing about each other; the account does
        (ANN, "kube:c-2:bob local:ops", True),
        ("kube:c-1:ann", "kube:c-2:ann", True),
        ("kube:c-1:ann", "kube:c-2:bob", False),
        ("operator", " Operator ", True),
        ("operator", "local:operator", False),
        ("kube:c-1:ann", "", False),
        ("kube:c-1:", "kube:c-1:", False),
    ],
)
def test_who_is_whom(one: str, other: str, same: bool) -> None:
    assert (people.same(one, other), people.same(other, one)) == (same, same)


@pytest.mark.parametrize("user", ["ann of Berlin", "Ann Ümlaut", "a local:ops", "a%20b", "x:y"])
def test_no_user_name_can_pass_for_an_account_or_lose_a_part(user: str) -> None:
    found = people.read(people.written("c-1", user, "local:real"))
    assert found == people.Person("c-1", user.casefold(), "local:real")


@pytest.mark.parametrize("by", ["local:ann", " Local:ann", "kube:c-1:system:serviceaccount:shop:ci local:ann", "kube:c-1: local:ann"])
def test_accounts_and_service_accounts_prove_no_person(by: str) -> None:
    assert people.unproven(by)


@pytest.mark.parametrize("by", [ANN, "ann", "kube:c-1:system:admin"])
def test_users_of_a_cluster_and_of_other_doors_are_people(by: str) -> None:
    assert not people.unproven(by)


def test_an_owner_is_a_person_or_a_group() -> None:
    assert people.owns("Ann", ANN, ())
    assert people.owns("local:ops", ANN, ())
    assert people.owns("group:payments", BOB, ("sre", "payments"))
    assert not people.owns("ann", BOB, ("ann",))
    assert not people.owns("group:ann", ANN, ())
