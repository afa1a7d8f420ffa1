from tests.flows.killing import check_that_kills_lose_nothing


def test_a_killed_job_is_taken_up_where_it_was(tmp_path, capsys, monkeypatch):
    check_that_kills_lose_nothing(tmp_path, capsys, monkeypatch, times=3, seed=11)
