"""Products, squared distances, exponentials and rbf decisions by the compiled library."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.native import library
from widemargin.native.jobs import Job, check_memory, run_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["exponentials", "mirror", "pairwise", "rbf_decisions", "rbf_values", "subtract_rows"]

_PRODUCTS, _DISTANCES, _RBF = range(3)
_POINTER, _COUNT, _REAL = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double

# Below so many multiplications, or exponentials, a second thread costs more than it brings ...
_SMALL_PRODUCTS, _SMALL_EXPONENTIALS = 4_000_000, 200_000
# ... and below so many it is a matter of milliseconds.
_BRIEF_PRODUCTS = 200_000_000


class _ProductsJob(Job):
    """`wm_products` of widemargin.c, field by field."""

    _fields_ = (
        ("X", _POINTER),
        ("Y", _POINTER),
        ("n", _COUNT),
        ("m", _COUNT),
        ("d", _COUNT),
        ("given_double", _COUNT),
        ("is_double", _COUNT),
        ("symmetric", _COUNT),
        ("kind", _COUNT),
        ("centre", _POINTER),
        ("out", _POINTER),
        ("coef", _POINTER),
        ("coef_ld", _COUNT),
        ("n_functions", _COUNT),
        ("gamma", _REAL),
        ("decision", _POINTER),
        ("px", _POINTER),
        ("py", _POINTER),
        ("x_lengths", _POINTER),
        ("y_lengths", _POINTER),
        ("x_rows", _POINTER),
        ("y_rows", _POINTER),
        ("to", _POINTER),
        ("ld", _COUNT),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


class _ExponentialJob(Job):
    """`wm_exponential` of widemargin.c, field by field."""

    _fields_ = (
        ("quantity", _POINTER),
        ("out", _POINTER),
        ("count", _COUNT),
        ("is_double", _COUNT),
        ("gamma", _REAL),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


class _ValuesJob(Job):
    """`wm_values` of widemargin.c, field by field."""

    _fields_ = (
        ("gram", _POINTER),
        ("ld", _COUNT),
        ("is_double", _COUNT),
        ("places", _POINTER),
        ("rows", _POINTER),
        ("columns", _POINTER),
        ("n_rows", _COUNT),
        ("n_columns", _COUNT),
        ("factors", _POINTER),
        ("v", _POINTER),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


def pairwise(X: NDArray[Any], Y: NDArray[Any], *, distances: bool) -> NDArray[Any] | None:
    """Return products of rows, or squared distances, of shape (n_X, n_Y).

    None where lengths are too great for the type, and the caller must see what overflows.

    Parameters
    ----------
    X, Y : ndarray of shape (n, n_features)
        Dense rows of one type, float32 or float64, which is the type of the result. Where both
        are one array, only half is computed.
    distances : bool
        Whether squared distances are wanted; rows are then centred in double precision first.
    """
    out = np.empty((len(X), len(Y)), dtype=X.dtype)
    same = X is Y
    X = np.ascontiguousarray(X)
    Y = X if same else np.ascontiguousarray(Y, dtype=X.dtype)
    job = _job(X, Y, same, distances)
    job.out = out.ctypes.data
    centre = _centre(Y) if distances else None
    return out if _run(job, centre) else None


def rbf_decisions(
    X: NDArray[Any],
    vectors: NDArray[Any],
    dual_coef: NDArray[np.float64],
    gamma: float,
) -> NDArray[np.float64] | None:
    """Return the kernel expansions of every row, of shape (n_samples, n_functions).

    No matrix of kernel values is ever kept. None as for `pairwise`.
    """
    X = np.ascontiguousarray(X)
    vectors = np.ascontiguousarray(vectors, dtype=X.dtype)
    coef = np.ascontiguousarray(dual_coef, dtype=np.float64)
    decision = np.zeros((len(X), len(coef)))
    # The library reads whole panels of columns, of which the last may lack some.
    padded = np.zeros((len(coef), coef.shape[1] + 64))
    padded[:, : coef.shape[1]] = coef
    job = _job(X, vectors, False, True)
    job.coef, job.coef_ld, job.n_functions = padded.ctypes.data, padded.shape[1], len(padded)
    job.kind, job.gamma, job.decision = _RBF, gamma, decision.ctypes.data
    centre = _centre(vectors)
    return decision if _run(job, centre) else None


def rbf_values(
    X: NDArray[Any],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    gamma: float,
    centre: NDArray[np.float64],
    out: NDArray[Any],
    places: NDArray[np.int64],
) -> bool:
    """Write rbf values of rows of X: those of rows[i] and columns[j] to out[places[i], columns[j]].

    Where both are one array, only half is computed. Says whether it was done, as for `pairwise`.
    """
    job = _job(X, X, rows is columns, True)
    job.n, job.m, job.kind, job.gamma = len(rows), len(columns), _RBF, gamma
    job.x_rows, job.y_rows, job.to = rows.ctypes.data, columns.ctypes.data, places.ctypes.data
    job.out, job.ld = out.ctypes.data, out.shape[1]
    return _run(job, centre)


def subtract_rows(
    v: NDArray[np.float64],
    gram: NDArray[Any],
    which: NDArray[np.int64],
    factors: NDArray[np.float64],
) -> None:
    """Subtract some rows of a matrix from v, each times its factor, in double precision."""
    found = library()
    assert found is not None
    job = _values_job(gram)
    job.v, job.factors, job.n_columns = v.ctypes.data, factors.ctypes.data, len(v)
    job.rows, job.n_rows = which.ctypes.data, len(which)
    run_job(found.wm_subtract, job, brief=True)


def mirror(
    gram: NDArray[Any],
    places: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> None:
    """Copy gram[places[rows], columns], transposed, to gram[places[columns], rows]."""
    found = library()
    assert found is not None
    job = _values_job(gram)
    job.places = places.ctypes.data
    job.rows, job.n_rows = rows.ctypes.data, len(rows)
    job.columns, job.n_columns = columns.ctypes.data, len(columns)
    run_job(found.wm_mirror, job, brief=True)


def _values_job(gram: NDArray[Any]) -> _ValuesJob:
    return _ValuesJob(gram=gram.ctypes.data, ld=gram.shape[1], is_double=gram.dtype == np.float64)


def exponentials(quantity: NDArray[Any], gamma: float, out: NDArray[Any]) -> NDArray[Any]:
    """Write exp(-gamma quantity) to `out`; both are contiguous and of one type."""
    found = library()
    assert found is not None
    job = _ExponentialJob(
        quantity=quantity.ctypes.data,
        out=out.ctypes.data,
        count=quantity.size,
        is_double=quantity.dtype == np.float64,
        gamma=gamma,
    )
    run_job(found.wm_exponentials, job, small=quantity.size < _SMALL_EXPONENTIALS)
    return out


def _job(X: NDArray[Any], Y: NDArray[Any], same: bool, distances: bool) -> _ProductsJob:
    is_double = X.dtype == np.float64
    return _ProductsJob(
        X=X.ctypes.data,
        Y=Y.ctypes.data,
        n=len(X),
        m=len(Y),
        d=X.shape[1],
        given_double=is_double,
        is_double=is_double,
        symmetric=same,
        kind=_DISTANCES if distances else _PRODUCTS,
    )


def _centre(Y: NDArray[Any]) -> NDArray[np.float64] | None:
    return Y.mean(axis=0, dtype=np.float64) if len(Y) else None


def _run(job: _ProductsJob, centre: NDArray[np.float64] | None) -> bool:
    """Do the job; says whether no length came near what the type holds."""
    found = library()
    assert found is not None
    if centre is not None:
        job.centre = centre.ctypes.data
    size = job.n * job.m * job.d
    how = {"small": size < _SMALL_PRODUCTS, "brief": size < _BRIEF_PRODUCTS}
    limit = 1e300 if job.is_double else 1e37
    found.wm_products_begin(ctypes.byref(job))
    try:
        check_memory(job)
        run_job(found.wm_products_pack, job, **how)
        for lengths, count in ((job.x_lengths, job.n), (job.y_lengths, job.m)):
            if count:
                read = ctypes.cast(lengths, ctypes.POINTER(_REAL))
                if not np.ctypeslib.as_array(read, (count,)).max() < limit:
                    return False
        job.next = 0
        run_job(found.wm_products_work, job, **how)
    finally:
        found.wm_products_end(ctypes.byref(job))
    return True
