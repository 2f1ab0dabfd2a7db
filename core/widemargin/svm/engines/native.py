"""The native engine: the compiled library behind the interface of engines."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.native import library
from widemargin.native.jobs import Job, run_job
from widemargin.svm.duals import Duals, SolvedDuals, SolvedRows
from widemargin.svm.engines.newton import solve_rows_newton
from widemargin.svm.kernels.pairwise import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Native"]

_POINTER, _COUNT, _REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double

# Below this many kernel values to pass over, starting threads costs more than it brings; problems
# of few rows that make up fewer than so many a C are solved in milliseconds.
_SMALL, _BRIEF = 200_000, 1_000_000
_SHORT = 128
# Changes of pairs that take a few milliseconds.
_FEW = 20_000


class _DualsJob(Job):
    """`wm_duals` of duals.h, field by field."""

    _fields_ = (
        ("grams", _POINTER),
        ("n_grams", _COUNT),
        ("n", _COUNT),
        ("is_double", _COUNT),
        ("n_problems", _COUNT),
        ("rows", _POINTER),
        ("starts", _POINTER),
        ("target", _POINTER),
        ("lower", _POINTER),
        ("upper", _POINTER),
        ("held", _POINTER),
        ("held_starts", _POINTER),
        ("places", _POINTER),
        ("epsilon", _REAL),
        ("total", _REAL),
        ("n_C", _COUNT),
        ("C", _POINTER),
        ("tol", _REAL),
        ("max_iter", _COUNT),
        ("start", _POINTER),
        ("start_products", _POINTER),
        ("warm", _POINTER),
        ("warm_C", _REAL),
        ("warm_v", _POINTER),
        ("beta", _POINTER),
        ("intercept", _POINTER),
        ("decision", _POINTER),
        ("objective", _POINTER),
        ("gap", _POINTER),
        ("n_iter", _POINTER),
        ("converged", _POINTER),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


class _RowsJob(Job):
    """`wm_rows` of rows.h, field by field."""

    _fields_ = (
        ("values", _POINTER),
        ("columns", _POINTER),
        ("ends", _POINTER),
        ("d", _COUNT),
        ("n_problems", _COUNT),
        ("rows", _POINTER),
        ("starts", _POINTER),
        ("target", _POINTER),
        ("lower", _POINTER),
        ("upper", _POINTER),
        ("epsilon", _REAL),
        ("n_C", _COUNT),
        ("C", _POINTER),
        ("tol", _REAL),
        ("max_iter", _COUNT),
        ("seed", ctypes.c_uint64),
        ("coef", _POINTER),
        ("intercept", _POINTER),
        ("n_iter", _POINTER),
        ("converged", _POINTER),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


class Native:
    """Compiled sequential minimal optimisation; README.md in the folder above tells how and why."""

    name = "native"

    def solve(
        self,
        grams: Sequence[NDArray[Any]],
        duals: Duals,
        C: NDArray[np.float64],
        *,
        tol: float = 1e-3,
        max_iter: int = -1,
        start: NDArray[np.float64] | None = None,
        warm: tuple[float, NDArray[np.float64]] | None = None,
        n_threads: int | None = None,
        places: NDArray[np.int64] | None = None,
        warm_v: NDArray[np.float64] | None = None,
    ) -> SolvedDuals:
        """Solve every problem for every C on every Gram matrix.

        With `places`, row k lies in row places[k] of every Gram matrix, and only values of pairs of
        training rows need be there. With `warm_v`, every row's target less what `warm` decides
        without its constant, there is one problem, Gram matrix and C.
        """
        found = library()
        assert found is not None
        n_grams, n_C, n_problems = len(grams), len(C), len(duals)
        shape = (n_grams, n_C)
        solved = SolvedDuals(
            beta=np.zeros((*shape, len(duals.rows))),
            intercept=np.zeros((*shape, n_problems)),
            decision=np.zeros((*shape, len(duals.held_out))),
            objective=np.zeros((*shape, n_problems)),
            gap=np.zeros((*shape, n_problems)),
            n_iter=np.zeros((*shape, n_problems), dtype=np.int64),
            converged=np.zeros((*shape, n_problems), dtype=np.bool_),
        )
        kept = [np.ascontiguousarray(gram) for gram in grams]
        C = np.ascontiguousarray(C, dtype=np.float64)
        products = None
        if start is not None:
            start = np.ascontiguousarray(start, dtype=np.float64)
            products = np.stack(
                [own.astype(gram.dtype) @ gram for own, gram in zip(start, kept, strict=True)]
            ).astype(np.float64)
        warm_beta = None if warm is None else np.ascontiguousarray(warm[1], dtype=np.float64)
        sizes = np.diff(duals.starts)
        job = _DualsJob(
            n_grams=n_grams,
            n=kept[0].shape[0],
            is_double=kept[0].dtype == np.float64,
            n_problems=n_problems,
            rows=duals.rows.ctypes.data,
            starts=duals.starts.ctypes.data,
            target=duals.target.ctypes.data,
            lower=duals.lower.ctypes.data,
            upper=duals.upper.ctypes.data,
            held=duals.held_out.ctypes.data,
            held_starts=duals.held_out_starts.ctypes.data,
            places=None if places is None else places.ctypes.data,
            epsilon=duals.epsilon,
            total=duals.total,
            n_C=n_C,
            C=C.ctypes.data,
            tol=tol,
            max_iter=max_iter,
            start=None if start is None else start.ctypes.data,
            start_products=None if products is None else products.ctypes.data,
            warm=None if warm_beta is None else warm_beta.ctypes.data,
            warm_C=1.0 if warm is None else warm[0],
            warm_v=None if warm_v is None else warm_v.ctypes.data,
            beta=solved.beta.ctypes.data,
            intercept=solved.intercept.ctypes.data,
            decision=solved.decision.ctypes.data,
            objective=solved.objective.ctypes.data,
            gap=solved.gap.ctypes.data,
            n_iter=solved.n_iter.ctypes.data,
            converged=solved.converged.ctypes.data,
        )
        pointers = (_POINTER * n_grams)(*(gram.ctypes.data for gram in kept))
        job.grams = ctypes.addressof(pointers)
        # On the calling thread nothing can be interrupted, so that must be done in a moment: what
        # takes more is solved again where it can be.
        short = sizes.max() <= _SHORT
        passed = int((sizes * sizes).sum()) * n_grams
        small, brief = short and passed * n_C < _SMALL, short and passed < _BRIEF
        if small or brief:
            job.max_iter = _FEW if max_iter < 0 else min(max_iter, _FEW)
            run_job(found.wm_solve, job, n_threads=n_threads, small=small, brief=brief)
            if job.max_iter == max_iter or solved.converged.all():
                return solved
            job.max_iter, job.next = max_iter, 0
        run_job(found.wm_solve, job, n_threads=n_threads)
        return solved

    def solve_rows(
        self,
        X: Any,
        duals: Duals,
        C: NDArray[np.float64],
        *,
        tol: float = 1e-4,
        max_iter: int = 5000,
        random_state: int = 0,
        n_threads: int | None = None,
    ) -> SolvedRows:
        """Solve every problem for every C with the linear kernel and a squared loss.

        Few dense features go to Newton's method, wide or sparse rows to coordinate descent.
        """
        found = library()
        assert found is not None
        C = np.ascontiguousarray(C, dtype=np.float64)
        sparse = hasattr(X, "tocsr")
        if not sparse and X.shape[1] <= X.shape[0]:
            return solve_rows_newton(
                np.asarray(X, dtype=np.float64), duals, C, tol=tol, max_iter=max_iter
            )
        rows = in_order(X) if sparse else X
        values = np.ascontiguousarray(rows.data if sparse else rows, dtype=np.float64)
        columns = np.ascontiguousarray(rows.indices, dtype=np.int32) if sparse else None
        ends = rows.indptr.astype(np.int64) if sparse else None
        shape = (len(C), len(duals))
        solved = SolvedRows(
            coef=np.zeros((*shape, X.shape[1])),
            intercept=np.zeros(shape),
            n_iter=np.zeros(shape, dtype=np.int64),
            converged=np.zeros(shape, dtype=np.bool_),
        )
        job = _RowsJob(
            values=values.ctypes.data,
            columns=None if columns is None else columns.ctypes.data,
            ends=None if ends is None else ends.ctypes.data,
            d=X.shape[1],
            n_problems=len(duals),
            rows=duals.rows.ctypes.data,
            starts=duals.starts.ctypes.data,
            target=duals.target.ctypes.data,
            lower=duals.lower.ctypes.data,
            upper=duals.upper.ctypes.data,
            epsilon=duals.epsilon,
            n_C=len(C),
            C=C.ctypes.data,
            tol=tol,
            max_iter=max_iter,
            seed=random_state,
            coef=solved.coef.ctypes.data,
            intercept=solved.intercept.ctypes.data,
            n_iter=solved.n_iter.ctypes.data,
            converged=solved.converged.ctypes.data,
        )
        work = values.size * len(duals) * len(C)
        run_job(found.wm_solve_rows, job, n_threads=n_threads, small=work < _BRIEF)
        return solved
