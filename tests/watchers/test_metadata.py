"""Instance metadata, version 2."""

from __future__ import annotations

import pytest

from metadata import Metadata

from .places import Answers, serve

PATH = "spot/instance-action"
GET = f"GET /latest/meta-data/{PATH}"
PUT = "PUT /latest/api/token"


def _service() -> Answers:
    """Takes the token that it gave last."""
    answers = Answers(by_path={PUT: (200, "first")})
    answers.allow = lambda headers: (
        headers.get("x-aws-ec2-metadata-token") == answers.by_path[PUT][1]
    )
    return answers


def _puts(answers: Answers) -> list[str]:
    told = "x-aws-ec2-metadata-token-ttl-seconds"
    return [headers[told] for method, _, headers in answers.asked if method == "PUT"]


def test_one_token_for_many_questions() -> None:
    with serve(_service()) as answers:
        metadata = Metadata(f"http://127.0.0.1:{answers.port}", lambda: 0.0)
        assert metadata.read(PATH) is None
        answers.by_path[GET] = (200, "{}")
        assert metadata.read(PATH) == "{}"
        assert _puts(answers) == ["21600"]


def test_a_token_is_renewed_in_time_and_when_it_is_refused() -> None:
    clock = [100.0]
    with serve(_service()) as answers:
        metadata = Metadata(f"http://127.0.0.1:{answers.port}", lambda: clock[0])
        assert metadata.read(PATH) is None
        clock[0] += 10801
        assert metadata.read(PATH) is None
        assert len(_puts(answers)) == 2
        answers.by_path[PUT] = (200, "second")
        assert metadata.read(PATH) is None
        assert len(_puts(answers)) == 3


def test_failures_are_told() -> None:
    with serve(_service()) as answers:
        metadata = Metadata(f"http://127.0.0.1:{answers.port}", lambda: 0.0)
        answers.by_path[PUT] = (403, "")
        with pytest.raises(OSError, match="gives no token, but 403"):
            metadata.read(PATH)
        answers.by_path[PUT] = (200, "first")
        answers.by_path[GET] = (500, "")
        with pytest.raises(OSError, match="answers 500"):
            metadata.read(PATH)
        answers.allow = lambda headers: False
        with pytest.raises(OSError, match="answers 401"):
            metadata.read(PATH)
