"""The learning rate goes as torch's one-cycle schedule has it."""

from __future__ import annotations

from typing import Any

import pytest

from widemargin.encoders.training.schedule import one_cycle

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')


@pytest.mark.parametrize("total", [15, 60, 333])
def test_rates_and_momenta_are_those_of_torch(total: int) -> None:
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.02, total_steps=total, pct_start=0.1
    )
    for step in range(total):
        group = optimizer.param_groups[0]
        rate, momentum = one_cycle(step, total)
        assert rate * 0.02 == pytest.approx(group["lr"], rel=1e-9)
        assert momentum == pytest.approx(group["betas"][0], rel=1e-9)
        optimizer.step()
        if step + 1 < total:
            schedule.step()


@pytest.mark.parametrize("total", [1, 2, 5, 10])
def test_few_steps_have_a_rate_too(total: int) -> None:
    made = [one_cycle(step, total) for step in range(total)]
    assert made[0][0] > 0
    assert all(0 <= rate <= 1 and 0.85 <= momentum <= 0.95 for rate, momentum in made)
