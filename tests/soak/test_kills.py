import pytest

from tests.flows.killing import check_that_kills_lose_nothing


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_jobs_killed_at_random_moments_lose_nothing(tmp_path, capsys, monkeypatch, seed):
    check_that_kills_lose_nothing(tmp_path, capsys, monkeypatch, times=20, seed=seed)
