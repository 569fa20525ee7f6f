"""Why a host did not become an environment, from the last lines of real hosts that were made to fail."""

from __future__ import annotations

import pytest

from fleet.plan.environment.failures import service_failure, step_failure, step_overdue

CASES = {
    "full": (
        1,
        [
            "  cause: failed to write to file `x`: No space left on device (os error 28)",
            "hint: `nbdime` (v4.0.4) was included because `jupyterlab-git` depends on `nbdime`",
        ],
        "bootstrap step `jupyter` failed: the disk is full",
        "volume:",
    ),
    "killed": (137, [], "too little memory", "an instance type with more memory"),
    "no way out": (
        1,
        [
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'ConnectTimeoutError(<pip._vendor>)'",
            "ERROR: No matching distribution found for uv",
        ],
        "the package index does not answer",
        "a way out",
    ),
    "without the framework": (
        1,
        [
            "/usr/bin/python3: import torch: ImportError()",
            "no Python of this image imports pytorch",
        ],
        "no Python of this image imports pytorch",
        "`fleet logs a 'b c' --of bootstrap`",
    ),
    "unknown": (
        7,
        ["the data set is not there", ""],
        "bootstrap step `jupyter` failed (exit status 7): the data set is not there",
        "run it again with `fleet bootstrap a --member 'b c'`",
    ),
    "silent": (1, [], "(exit status 1): no output", "fleet bootstrap"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_step_that_failed_is_told_with_the_remedy(case: str) -> None:
    status, log, why, remedy = CASES[case]
    reason = step_failure("jupyter", status, log, fleet="a", member="'b c'")
    assert why in reason.why
    assert remedy in reason.remedy


def test_the_first_boot_has_a_log_of_its_own() -> None:
    reason = step_failure("cloud-init", 1, ["('bootcmd', ...)"], fleet="a", member="b")
    assert "fleet logs a b --of cloud-init" in reason.remedy


def test_a_step_that_was_given_up_is_named() -> None:
    assert "`uv` was not over in time" in step_overdue("uv").why


def test_a_service_that_the_kernel_ends_lacks_memory() -> None:
    log = ["fleet-jupyter.service: Main process exited, code=killed, status=9/KILL"]
    assert "too little memory" in service_failure("Jupyter does not answer", "see it", log).why
    assert service_failure("Jupyter does not answer", "see it", []).remedy == "see it"
