"""What is recorded of the real API server is still what it answers: every sequence again, by hand and drawn."""

from collections.abc import Iterator

import httpx
import pytest

from tests.controlplane.rig import ControlPlane
from tests.simulator.api.recording import Recording, ask, client_of, recorded


@pytest.fixture(scope="module")
def client(control_plane: ControlPlane) -> Iterator[httpx.Client]:
    with client_of(control_plane.layout.folder) as made:
        yield made


@pytest.mark.parametrize("recording", [*recorded("families"), *recorded("drawn")], ids=lambda each: each.sequence.name)
def test_the_real_api_server_answers_as_recorded(client: httpx.Client, recording: Recording) -> None:
    assert ask(client, recording.sequence) == recording.answers
