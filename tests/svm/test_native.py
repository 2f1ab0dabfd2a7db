"""The native library: its products against NumPy's at every level, and its jobs."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin import native
from widemargin.native import jobs
from widemargin.native.jobs import Job, available_threads, run_job
from widemargin.native.products import exponentials, pairwise, rbf_decisions
from widemargin.svm.engines import choose_engine
from widemargin.svm.schemes import classification, regression

pytestmark = pytest.mark.skipif(native.library() is None, reason="not compiled")

# One below, at and above the panels of every level; none at all; one row.
SIZES = [(1, 1, 1), (3, 5, 2), (12, 32, 16), (13, 33, 17), (65, 47, 3), (0, 4, 3), (4, 0, 3)]
DTYPES = [np.float32, np.float64]
every_type = pytest.mark.parametrize("dtype", DTYPES)


def library() -> Any:
    return native.library()


def rows(n: int, d: int, dtype: Any, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def table(found: NDArray[Any] | None) -> NDArray[Any]:
    """Return what there must be."""
    assert found is not None
    return found


def distances(X: NDArray[Any], Y: NDArray[Any]) -> NDArray[np.float64]:
    away = X.astype(np.float64)[:, None] - Y.astype(np.float64)
    squared: NDArray[np.float64] = (away**2).sum(axis=2)
    return squared


def precision(dtype: Any) -> float:
    return 2e-5 if dtype == np.float32 else 1e-12


@every_type
@pytest.mark.parametrize("size", SIZES)
def test_products_are_those_of_numpy(level: int, dtype: Any, size: tuple[int, int, int]) -> None:
    n, m, d = size
    X, Y = rows(n, d, dtype), rows(m, d, dtype, 1)
    found = pairwise(X, Y, distances=False)
    assert found is not None
    assert found.dtype == dtype
    expected = X.astype(np.float64) @ Y.T.astype(np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=precision(dtype) * d)


@every_type
@pytest.mark.parametrize("size", SIZES)
def test_distances_are_those_of_numpy(level: int, dtype: Any, size: tuple[int, int, int]) -> None:
    n, m, d = size
    X, Y = rows(n, d, dtype), rows(m, d, dtype, 1)
    found = pairwise(X, Y, distances=True)
    assert found is not None
    assert (found >= 0).all()
    np.testing.assert_allclose(found, distances(X, Y), rtol=0, atol=precision(dtype) * d)


@every_type
@pytest.mark.parametrize("n", [1, 2, 31, 64, 65, 200])
@pytest.mark.parametrize("wanted", [False, True], ids=["products", "distances"])
def test_one_array_against_itself_is_symmetric_to_the_last_bit(
    level: int, dtype: Any, n: int, wanted: bool
) -> None:
    X = rows(n, 7, dtype)
    found = pairwise(X, X, distances=wanted)
    assert found is not None
    np.testing.assert_array_equal(found, found.T)
    twice = table(pairwise(X, X.copy(), distances=wanted))
    np.testing.assert_allclose(found, twice, rtol=0, atol=precision(dtype) * 7)
    if wanted:
        np.testing.assert_array_equal(found.diagonal(), 0)


@every_type
def test_rows_far_from_the_origin_keep_their_distances(level: int, dtype: Any) -> None:
    X = np.round(rows(40, 3, np.float64) * 64) / 64
    far = (X + 2**12).astype(dtype)
    found = table(pairwise(far, far[:20].copy(), distances=True))
    np.testing.assert_allclose(found, distances(X, X[:20]), rtol=1e-5, atol=precision(dtype))


@every_type
def test_rows_need_no_order_in_memory(level: int, dtype: Any) -> None:
    X, Y = rows(30, 6, dtype), rows(20, 6, dtype, 1)
    plain = pairwise(X[::2, ::3].copy(), Y[:, ::3].copy(), distances=True)
    np.testing.assert_array_equal(
        pairwise(np.asfortranarray(X)[::2, ::3], Y[:, ::3], distances=True), plain
    )


@every_type
@pytest.mark.parametrize("wanted", [False, True], ids=["products", "distances"])
def test_rows_without_features_are_all_alike(level: int, dtype: Any, wanted: bool) -> None:
    X = np.empty((5, 0), dtype=dtype)
    found = pairwise(X, np.empty((3, 0), dtype=dtype), distances=wanted)
    np.testing.assert_array_equal(found, np.zeros((5, 3)))
    np.testing.assert_array_equal(pairwise(X, X, distances=wanted), np.zeros((5, 5)))


@pytest.mark.parametrize(("dtype", "huge"), [(np.float32, 1e20), (np.float64, 1e160)])
@pytest.mark.parametrize("wanted", [False, True], ids=["products", "distances"])
def test_lengths_beyond_the_type_are_left_to_the_caller(
    level: int, dtype: Any, huge: float, wanted: bool
) -> None:
    X, Y = rows(5, 3, dtype), rows(4, 3, dtype, 1)
    for one, other in ((X * dtype(huge), Y), (X, Y * dtype(huge))):
        assert pairwise(one, other, distances=wanted) is None
    coef = np.ones((1, 4))
    assert rbf_decisions(X * dtype(huge), Y, coef, 1.0) is None
    X[2, 1] = np.nan
    assert pairwise(X, Y, distances=wanted) is None


@every_type
@pytest.mark.parametrize("count", [0, 1, 7, 31, 33, 70_001])
@pytest.mark.parametrize("gamma", [1e-3, 0.7, 40.0])
def test_exponentials_are_those_of_numpy(level: int, dtype: Any, count: int, gamma: float) -> None:
    quantity = np.abs(rows(1, count, dtype)[0]) * 9
    if count > 2:
        quantity[:3] = 0, 1e4, 1e30
    out = np.full(count + 1, 5, dtype=dtype)
    exponentials(quantity, gamma, out[:count])
    power = gamma * quantity.astype(np.float64)
    expected = np.exp(-power)
    # Rounding the power alone costs its size in units of the last place.
    limits = np.finfo(dtype)
    allowed = expected * 2 * limits.eps * (1 + power) + 2 * limits.tiny
    assert (np.abs(out[:count] - expected) <= allowed).all()
    if count > 2:
        np.testing.assert_array_equal(out[[0, 2]], [1, 0])
    assert out[count] == 5  # no number beyond the end is written
    exponentials(quantity, gamma, quantity)
    np.testing.assert_array_equal(quantity, out[:count])


@every_type
@pytest.mark.parametrize("n_functions", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_rbf_decisions_are_the_sum_over_support_vectors(
    level: int, dtype: Any, size: tuple[int, int, int], n_functions: int
) -> None:
    n, m, d = size
    X, vectors = rows(n, d, dtype), rows(m, d, dtype, 1)
    coef = rows(n_functions, m, np.float64, 2)
    found = table(rbf_decisions(X, vectors, coef, 0.4))
    expected = np.exp(-0.4 * distances(X, vectors)) @ coef.T
    np.testing.assert_allclose(found, expected, rtol=0, atol=precision(dtype) * (m + 1))


def test_levels_agree(level: int) -> None:
    X = rows(70, 20, np.float64)
    found = table(pairwise(X, X, distances=True))
    library().wm_set_level(0)
    portable = table(pairwise(X, X, distances=True))
    np.testing.assert_allclose(found, portable, rtol=1e-12, atol=1e-12)


def test_machines_of_all_levels_are_the_same(level: int) -> None:
    X, every = rows(90, 5, np.float64), np.arange(90)
    gram = np.exp(-0.2 * distances(X, X))
    codes = (X[:, 0] + 0.5 * rows(90, 1, np.float64, 3)[:, 0] > 0).astype(int)
    parts = [(every[30:], every[:30]), (every[:60], every[60:])]
    prices = np.array([0.5, 5.0])
    for duals in (
        classification(codes, 2, "single", None, parts),
        regression(X[:, 0] ** 2, 0.1, None, parts),
    ):
        found = choose_engine("native").solve([gram], duals, prices, tol=1e-9)
        other = choose_engine("reference").solve([gram], duals, prices, tol=1e-9)
        assert found.converged.all()
        np.testing.assert_allclose(found.decision, other.decision, atol=1e-7)


@every_type
def test_the_number_of_threads_changes_no_bit(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = rows(300, 130, dtype), rows(257, 130, dtype, 1)
    coef = rows(2, 257, np.float64, 2)

    def everything() -> list[NDArray[Any] | None]:
        quantity = pairwise(X, X, distances=True)
        assert quantity is not None
        big = np.tile(quantity, (3, 1))
        return [
            quantity,
            pairwise(X, Y, distances=False),
            rbf_decisions(X, Y, coef, 0.01),
            exponentials(big, 0.01, np.empty_like(big)),
        ]

    several = []
    for count in (1, 2, 7):
        monkeypatch.setattr(jobs, "available_threads", lambda count=count: count)
        several.append(everything())
    for found in several[1:]:
        for one, other in zip(found, several[0], strict=True):
            np.testing.assert_array_equal(one, other)


class Counted(Job):
    """A job that only counts who works on it."""

    _fields_ = (
        ("next", ctypes.c_int64),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


def work_on(job: Any) -> Counted:
    """Return the job that a worker's reference points to."""
    found: Counted = job._obj
    return found


def test_as_many_threads_work_as_are_wanted() -> None:
    calls: list[int] = []
    job = Counted()
    run_job(lambda _: calls.append(1), job, n_threads=3)
    assert len(calls) == 3
    run_job(lambda _: calls.append(1), job)
    assert len(calls) == 3 + available_threads()
    run_job(lambda _: calls.append(1), job, n_threads=3, small=True)
    assert len(calls) == 4 + available_threads()


@pytest.mark.parametrize("small", [False, True])
def test_memory_that_the_library_cannot_get_is_said(small: bool) -> None:
    def fail(job: Any) -> None:
        work_on(job).failed = 1

    with pytest.raises(MemoryError, match="could not get the memory that it needs"):
        run_job(fail, Counted(), n_threads=2, small=small)


def test_rows_that_no_memory_holds_end_in_a_memory_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        """The library on a machine whose memory is full."""

        def __getattr__(self, name: str) -> Any:
            return getattr(library(), name)

        def wm_products_begin(self, job: Any) -> None:
            library().wm_products_begin(job)
            work_on(job).failed = 1

    monkeypatch.setattr("widemargin.native.products.library", Failing)
    with pytest.raises(MemoryError, match="could not get the memory"):
        pairwise(rows(4, 3, np.float64), rows(5, 3, np.float64), distances=False)


@pytest.mark.parametrize("again", [False, True])
def test_an_interrupt_stops_the_threads_before_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    begun, over, ended = threading.Barrier(4), threading.Event(), []

    def work(job: Any) -> None:
        begun.wait()
        while not work_on(job).stop:
            if over.is_set():
                return
            time.sleep(0.001)
        ended.append(1)

    class Pressed(Future[Any]):
        """Ctrl-C is pressed a second time while run_job asks who is still at work."""

        left = again

        def done(self) -> bool:
            if Pressed.left:
                Pressed.left = False
                raise KeyboardInterrupt
            return super().done()

    def interrupted(futures: Any) -> Any:
        begun.wait()
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("widemargin.native.jobs.wait", interrupted)
    monkeypatch.setattr("widemargin.native.jobs.Future", Pressed)
    with pytest.raises(KeyboardInterrupt):
        run_job(work, Counted(), n_threads=3)
    over.set()
    assert len(ended) == 3
    assert not Pressed.left


@pytest.mark.parametrize("has_begun", [True, False])
def test_an_interrupt_while_a_thread_is_started_leaves_none_at_work(
    monkeypatch: pytest.MonkeyPatch, has_begun: bool
) -> None:
    pool = jobs._pool()
    begun, over, ended = threading.Event(), threading.Event(), []
    later: list[Any] = []

    def work(job: Any) -> None:
        begun.set()
        assert not over.is_set()
        while not work_on(job).stop:
            time.sleep(0.001)
        ended.append(1)

    class Interrupted:
        """A pool that takes what it is given, and is interrupted before it says so."""

        def submit(self, *words: Any) -> Any:
            if has_begun:
                pool.submit(*words)
                assert begun.wait(600)
            else:
                later.append(words)
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "_pool", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(work, Counted(), n_threads=3)
    over.set()
    for words in later:
        pool.submit(*words).result()
    assert begun.is_set() == has_begun
    assert len(ended) == has_begun


LONG_FIT = """
import sys
import numpy as np
from widemargin.native import jobs
from widemargin.svm import SVC

def told(futures, wait=jobs.wait):
    print("waiting", flush=True)
    return wait(futures)

jobs.wait = told
rng = np.random.default_rng(0)
X, y = rng.normal(size=(4000, 60)), rng.integers(0, 2, size=4000)
rng.shuffle(X)
machine = SVC(kernel="poly", degree=2, C=1e7, tol=1e-9, engine="native", n_jobs=2)
try:
    machine.fit(X, y)
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("fitted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")
def test_a_long_fit_can_be_interrupted() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LONG_FIT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(signal.SIGINT)
            # The fit takes minutes: what is not interrupted ends with another word.
            said, _ = process.communicate(timeout=1200)
        finally:
            process.kill()
    assert said.split()[-1] == "interrupted"
