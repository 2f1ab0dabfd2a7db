"""Batches that do not fit into memory are halved, and training goes on."""

from __future__ import annotations

from typing import Any

import pytest

import widemargin.encoders.training.keeping as keeping
from widemargin.errors import DataError

torch: Any = pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')

ERRORS = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: not enough memory"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


def narrow(small: Any, most: int, error: Exception, from_batch: int = 0) -> Any:
    """Return the small network, which raises an error where a batch is larger."""
    network = small.small_network()
    seen = 0

    def refuse(module: Any, args: Any) -> None:
        nonlocal seen
        seen += 1
        if len(args[0]) > most and seen > from_batch:
            raise error

    network.register_forward_pre_hook(refuse)
    return network


@pytest.mark.parametrize("error", ERRORS, ids=lambda own: f"{type(own).__name__} {own}"[:40])
def test_batches_are_halved_until_they_fit(small: Any, error: Exception) -> None:
    X, y = small.rings(200)
    told = small.Told()
    network = narrow(small, 20, error)
    options = {"progress": told, "name": "net"}
    network, history = small.trained(X, y, network, batch_size=64, options=options)
    assert history.batch_size == 16
    assert history.stopped == "epochs"
    said = "net: batches of 64 did not fit into memory; it trains with batches of 16"
    assert history.notes == (said,)
    assert told.notes[-1] == said
    again, _ = small.trained(X, y, batch_size=16)
    assert small.same(network, again)


def test_training_goes_on_after_the_last_finished_epoch(small: Any) -> None:
    X, y = small.rings(200)
    # Three steps an epoch, and one batch in three held out.
    network = narrow(small, 32, ERRORS[0], from_batch=10)
    _, history = small.trained(X, y, network, batch_size=64)
    unhurt = small.trained(X, y, batch_size=64)[1]
    assert history.epochs[:2] == unhurt.epochs[:2]
    assert history.epochs[2:] != unhurt.epochs[2:]
    assert len(history.epochs) == 8
    assert history.batch_size == 32


def test_halved_batches_are_still_halved_after_a_kill(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))
    X, y = small.rings(200)
    whole, expected = small.trained(X, y, narrow(small, 32, ERRORS[1]), batch_size=64)
    kept = small.Kept(fails_after=3)
    with pytest.raises(KeyboardInterrupt):
        small.trained(
            X, y, narrow(small, 32, ERRORS[1]), batch_size=64, options={"checkpoints": kept}
        )
    options = {"checkpoints": kept}
    network, history = small.trained(
        X, y, narrow(small, 32, ERRORS[1]), batch_size=64, options=options
    )
    assert history == expected
    assert small.same(network, whole)


@pytest.mark.parametrize(("loss", "fewest"), [("cross-entropy", 3), ("triplet", 6)])
def test_where_no_batch_fits_it_says_what_to_do(small: Any, loss: str, fewest: int) -> None:
    X, y = small.rings(50)
    network = narrow(small, 1, ERRORS[1])
    with pytest.raises(DataError, match=rf"net: not even {fewest} items at a time fit.*smaller"):
        small.trained(X, y, network, loss=loss, batch_size=64, options={"name": "net"})
    assert not network.training


def test_what_does_not_fit_when_trained_may_fit_when_held_out(small: Any) -> None:
    X, y = small.rings(900)
    _, history = small.trained(X, y, narrow(small, 16, ERRORS[1]), batch_size=64)
    assert history.batch_size == 16
    assert all(epoch.held_out is not None for epoch in history.epochs)


def test_other_errors_are_told_as_they_are(small: Any) -> None:
    X, y = small.rings(50)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        small.trained(X, y, narrow(small, 1, RuntimeError("shapes cannot be multiplied")))
