"""Print how fast kernel machines are searched, fitted and asked, beside scikit-learn and others.

    python tests/benchmarks/svm.py                     # all lines; most of the time is the peers'
    python tests/benchmarks/svm.py --peer-once         # a peer's long work once, not twice
    python tests/benchmarks/svm.py --only digits       # the lines whose name has the word
    python tests/benchmarks/svm.py --quick             # all lines in small; ratios mean nothing

Everybody works in this process on the same rows with the same C, gamma and folds and two threads,
after a warm-up on few rows; work is repeated for two seconds or twice, and the best time counts.
scikit-learn-intelex (extra `peers`) and liquidSVM (`pip install liquidSVM`, with a compiler) take
part where they can be imported. The former and we get dense rows of float32 (--float64 changes
ours); scikit-learn and liquidSVM know float64 alone.

A search is 6 C x 6 gamma x 5 folds, scored by accuracy, and a refit: C is 2^-1, 2^1 ... 2^9, and
gamma 4^-4, 4^-3 ... 4^1 times the inverse mean square distance of two rows. scikit-learn's is
`GridSearchCV` with n_jobs=2, scikit-learn-intelex's the same with its own threads. A fit is one
machine with C = 4 and that gamma itself.

Data: `embeddings` are drawn anew, overlapping classes of low rank in noise, as are the numbers of
regression and the hashed text; `digits` and `cancer` come with scikit-learn; `khan` is a stand-in
of the tumours' shape (83 x 2308, 4 classes), drawn likewise.

Equal quality: the dual objective's excess over scikit-learn's, relative; new rows predicted
differently than by scikit-learn (beyond two classes, of the first 1,000, ties broken by margins
by everybody, as in grids; for regression the largest difference, in standard deviations);
the cells of a grid whose number of right validation rows differs in some fold, and by how many rows
at the most; and the accuracy on new rows.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import sysconfig
import time
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import numpy as np
import scipy
import sklearn
import sklearn.svm as peers
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneOut,
    StratifiedKFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

import widemargin
from widemargin import native
from widemargin.svm import SVC, SVR, SVCSearch

OURS, PEER, INTELEX, LIQUID = "widemargin", "scikit-learn", "scikit-learn-intelex", "liquidSVM"
C_GRID = tuple(2.0**power for power in range(-1, 10, 2))
GAMMA_FACTORS = tuple(4.0**power for power in range(-4, 2))
N_JOBS = 2
TARGETS = {
    "grid embeddings": (40, 100),
    "grid digits": (15, 40),
    "grid khan": (100, 250),
    "fit digits": (1, 2),
    "fit khan": (1, 2),
    "fit 10 classes": (8, 15),
    "fit wide": (40, 80),
    "fit wide, near": (40, 80),
    "fit wide, nearer": (40, 80),
    "fit numbers": (8, 15),
    "predict embeddings": (20, 40),
    "path text": (5, 20),
}
"""How many times as fast as scikit-learn a line must be, and should.

A grid must also be 4 times as fast as liquidSVM and should be 10; predictions of embeddings 1 and 2
times as fast as scikit-learn-intelex.
"""

Array = NDArray[Any]
Cells = dict[tuple[float, float | None], Array]
"""Right validation rows of every cell, by fold."""


@dataclass(frozen=True)
class Problem:
    """Rows to train on, and new rows."""

    X: Any
    y: Array
    X_new: Any
    y_new: Array
    gamma: float = 1.0

    @property
    def size(self) -> str:
        """Rows x features, and classes."""
        n_classes = len(np.unique(self.y)) if self.y.dtype.kind == "i" else 0
        rows, columns = self.X.shape
        return f"{rows} x {columns}" + (f", {n_classes} classes" if n_classes > 2 else "")


@dataclass
class Line:
    """One line of the table: seconds by contender, and what makes them comparable."""

    name: str
    size: str
    seconds: dict[str, float] = field(default_factory=dict)
    quality: dict[str, float | str] = field(default_factory=dict)

    def ratio(self, peer: str = PEER) -> float | None:
        """How many times as long the peer takes."""
        return self.seconds[peer] / self.seconds[OURS] if peer in self.seconds else None


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    quick: bool
    peer_once: bool
    engine: str
    double: bool

    def given(self, who: str, X: Array) -> Array:
        """Return dense rows as a contender takes them; scikit-learn and liquidSVM know float64."""
        single = who == INTELEX or (who == OURS and not self.double)
        return X.astype(np.float32) if single else X

    def rows(self, n: int) -> int:
        """Cut a number of rows down for a quick run."""
        return max(n // 16, 80) if self.quick else n

    def cut(self, grid: tuple[float, ...]) -> tuple[float, ...]:
        """Likewise a grid."""
        return grid[2:4] if self.quick else grid

    def time(
        self, who: str, work: Callable[..., Any], full: tuple[Any, ...], few: tuple[Any, ...]
    ) -> tuple[float, Any]:
        """Warm up on few rows; return the best time on all, and what was made."""
        work(*few)
        best, spent = np.inf, 0.0
        at_least = 1 if who != OURS and self.peer_once else 2
        for count in range(1, 8):
            start = time.perf_counter()
            made = work(*full)
            taken = time.perf_counter() - start
            best, spent = min(best, taken), spent + taken
            if spent > 6 and count >= at_least:
                break
        return best, made


# Data.


def _divide(X: Any, y: Array, n: int) -> Problem:
    if not hasattr(X, "tocsr"):
        scaler = StandardScaler().fit(X[:n])
        X = scaler.transform(X)
    # The mean square distance of standardised features is twice their number.
    return Problem(X[:n], y[:n], X[n:], y[n:], gamma=0.5 / X.shape[1])


@cache
def embeddings(
    n: int, d: int, n_classes: int = 2, n_new: int = 10_000, spread: float = 0.5
) -> Problem:
    """Draw classes of two clumps each in 32 directions, and noise in all."""
    rng = np.random.default_rng(d + n_classes)
    y = rng.integers(0, n_classes, n + n_new)
    clump = 2 * y + rng.integers(0, 2, len(y))
    centres = spread * rng.normal(size=(2 * n_classes, 32))
    # Variances fall off as 1 / rank, which makes large C as slow as on real embeddings.
    scale = np.arange(1, 33) ** -0.5
    inner = (centres[clump] + rng.normal(size=(len(y), 32))) * scale / np.linalg.norm(scale)
    X = inner @ rng.normal(size=(32, d)) + 0.3 * rng.normal(size=(len(y), d))
    return _divide(X, y, n)


@cache
def khan(n: int = 83, d: int = 2308) -> Problem:
    """Draw a stand-in for the tumours: 4 classes, 400 telling genes, correlated noise."""
    rng = np.random.default_rng(83)
    n_new = 400
    share = np.array([29, 25, 18, 11]) / 83
    y = np.concatenate(
        [np.repeat(range(4), (share * n + 0.5).astype(int)), rng.integers(0, 4, n_new)]
    )
    order = np.concatenate([rng.permutation(len(y) - n_new), np.arange(len(y) - n_new, len(y))])
    y = y[order]
    X = rng.normal(size=(len(y), 20)) @ rng.normal(size=(20, d)) / 4 + rng.normal(size=(len(y), d))
    telling = rng.permutation(d)[:400]
    X[:, telling] += 1.4 * rng.normal(size=(4, 400))[y]
    return _divide(X, y, len(y) - n_new)


@cache
def digits(n: int = 1797) -> Problem:
    """Load ten digits; the new rows are old ones, and only count where predictions are compared."""
    X, y = load_digits(return_X_y=True)
    return _divide(np.concatenate([X[:n], X]), np.concatenate([y[:n], y]), n)


@cache
def cancer(n: int = 569) -> Problem:
    """Load breast cancer; new rows as those of `digits`."""
    X, y = load_breast_cancer(return_X_y=True)
    return _divide(np.concatenate([X[:n], X]), np.concatenate([y[:n], y]), n)


@cache
def numbers(n: int, d: int = 64, n_new: int = 10_000) -> Problem:
    """Draw a smooth function of eight directions; noise in rows and targets."""
    rng = np.random.default_rng(64)
    inner = rng.normal(size=(n + n_new, 8))
    X = inner @ rng.normal(size=(8, d)) / np.sqrt(8) + 0.3 * rng.normal(size=(len(inner), d))
    y = np.sin(1.5 * inner).sum(axis=1) + 0.5 * rng.normal(size=len(X))
    return _divide(X, y / y.std(), n)


@cache
def text(n: int, d: int = 20_000) -> Problem:
    """Draw hashed words by Zipf's law, one in twenty by the class's own; TF-IDF."""
    rng = np.random.default_rng(20)
    n_new = n
    rank = 1 / np.arange(1, d + 1)
    common = rank / rank.sum()
    y = rng.integers(0, 2, n + n_new)
    own = [common[rng.permutation(d)] for _ in range(2)]
    document = np.repeat(np.arange(len(y)), rng.integers(50, 400, len(y)))
    word = np.empty_like(document)
    for code, chance in enumerate(own):
        mine = y[document] == code
        total = np.cumsum(0.95 * common + 0.05 * chance)
        word[mine] = np.searchsorted(total / total[-1], rng.random(mine.sum()))
    counts = scipy.sparse.coo_matrix((np.ones(len(word)), (document, word)), (len(y), d)).tocsr()
    return _divide(TfidfTransformer(sublinear_tf=True).fit_transform(counts), y, n)


# Contenders.


@cache
def intelex() -> types.ModuleType | None:
    """Import scikit-learn-intelex's machines; scikit-learn's own stay as they are."""
    try:
        return importlib.import_module("sklearnex.svm")
    except ImportError:
        return None


@cache
def liquid() -> types.ModuleType | None:
    """Import liquidSVM, which looks for two things that Python and setuptools have dropped."""
    sysconfig.get_config_vars().setdefault("SO", sysconfig.get_config_var("EXT_SUFFIX"))
    sys.modules.setdefault("pkg_resources", types.ModuleType("pkg_resources"))
    try:
        return importlib.import_module("liquidSVM")
    # It raises NameError where its library cannot be loaded.
    except (ImportError, NameError, OSError):
        return None


def _grid_of_peer(
    machine: Any, grid: dict[str, tuple[float, ...]], cv: Any, X: Any, y: Array
) -> Any:
    # scikit-learn-intelex brings threads of its own.
    n_jobs = N_JOBS if type(machine).__module__.startswith("sklearn.") else 1
    return GridSearchCV(machine, grid, cv=cv, n_jobs=n_jobs).fit(X, y)


def _grid_of_liquid(grid: dict[str, tuple[float, ...]], X: Array, y: Array) -> Any:
    module = liquid()
    assert module is not None
    # Its kernel is exp(-(distance / gamma)^2).
    gammas = [gamma**-0.5 for gamma in grid["gamma"]]
    options = {"folds": 5, "threads": N_JOBS, "random_seed": 1, "display": 0}
    with _cores_kept():
        return module.mcSVM(X, y, gammas=gammas, c_values=list(grid["C"]), **options)


@contextmanager
def _cores_kept() -> Iterator[None]:
    """Give every thread back the cores that it had: liquidSVM pins its caller's to one."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    try:
        yield
    finally:
        for thread in os.listdir("/proc/self/task"):  # noqa: PTH208  # names are all that is needed
            os.sched_setaffinity(int(thread), cores)


def _cells_of(search: Any, sizes: Array) -> Cells:
    table = search.cv_results_
    return {
        (chosen["C"], chosen.get("gamma")): np.rint(
            [table[f"split{fold}_test_score"][at] * size for fold, size in enumerate(sizes)]
        )
        for at, chosen in enumerate(table["params"])
    }


def _compare_cells(line: Line, ours: Cells, peer: Cells) -> None:
    assert ours.keys() == peer.keys()
    worst = [float(np.abs(ours[place] - right).max()) for place, right in peer.items()]
    line.quality["cells"] = len(worst)
    line.quality["cells that differ"] = sum(rows > 0 for rows in worst)
    line.quality["rows at most"] = max(worst)


def _few(problem: Problem) -> tuple[Any, Array]:
    """Return some rows of every class, for a warm-up."""
    y = problem.y
    if y.dtype.kind != "i":
        return problem.X[:60], y[:60]
    rows = np.sort(np.concatenate([np.flatnonzero(y == code)[:8] for code in np.unique(y)]))
    return problem.X[rows], y[rows]


# Lines.


def search_lines(name: str, problem: Problem, options: Options) -> Iterator[Line]:
    """Time a grid of rbf machines."""
    line = Line(f"grid {name}", problem.size)
    X, y = problem.X, problem.y
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    gammas = tuple(factor * problem.gamma for factor in GAMMA_FACTORS)
    grid = {"C": options.cut(C_GRID), "gamma": options.cut(gammas)}
    one = {key: values[:1] for key, values in grid.items()}
    few, labels = _few(problem)

    def ours(grid: dict[str, tuple[float, ...]], X: Any, y: Array) -> Any:
        search = SVCSearch(
            kernel="rbf",
            C=grid["C"],
            gamma=grid["gamma"],
            cv=cv,
            n_jobs=N_JOBS,
            engine=options.engine,
        )
        return search.fit(X, y)

    def peer(grid: dict[str, tuple[float, ...]], X: Any, y: Array) -> Any:
        return _grid_of_peer(peers.SVC(break_ties=True), grid, cv, X, y)

    def other(grid: dict[str, tuple[float, ...]], X: Any, y: Array) -> Any:
        module = intelex()
        assert module is not None
        return _grid_of_peer(module.SVC(break_ties=True), grid, cv, X, y)

    contenders = {OURS: ours, PEER: peer}
    contenders |= {INTELEX: other} if intelex() else {}
    contenders |= {LIQUID: _grid_of_liquid} if liquid() else {}
    made = {}
    for who, fit in contenders.items():
        full, small = (grid, options.given(who, X), y), (one, options.given(who, few), labels)
        line.seconds[who], made[who] = options.time(who, fit, full, small)
    sizes = np.array([len(test) for _, test in cv.split(X, y)])
    _compare_cells(line, _cells_of(made[OURS], sizes), _cells_of(made[PEER], sizes))
    new = problem.X_new, problem.y_new
    if name == "digits":
        # Two thirds of the rows choose, and the others judge; not timed.
        train, X_new, codes, y_new = train_test_split(
            X, y, test_size=1 / 3, random_state=0, stratify=y
        )
        made = {
            who: fit(grid, options.given(who, train), codes)
            for who, fit in contenders.items()
            if who != INTELEX
        }
        new = X_new, y_new
    for who, model in made.items():
        predicted = model.predict(options.given(who, new[0])).ravel()
        line.quality[f"accuracy {who}"] = float(np.mean(predicted == new[1]))
    yield line


def fit_lines(
    name: str, problem: Problem, options: Options, *, predict: bool = False
) -> Iterator[Line]:
    """Time one rbf machine, and its predictions of the new rows."""
    numeric = problem.y.dtype.kind != "i"
    common: dict[str, Any] = {"kernel": "rbf", "C": 4.0, "gamma": problem.gamma}
    machines: dict[str, Callable[[], Any]] = {
        OURS: lambda: (SVR if numeric else SVC)(n_jobs=N_JOBS, engine=options.engine, **common),
        PEER: lambda: (peers.SVR if numeric else peers.SVC)(**common),
    }
    if (module := intelex()) is not None:
        machines[INTELEX] = lambda: (module.SVR if numeric else module.SVC)(**common)
    line = Line(f"fit {name}", problem.size)
    asked = Line(f"predict {name}", f"{len(problem.y_new)} rows")
    few, labels = _few(problem)
    objectives, predictions = {}, {}
    for who, build in machines.items():
        X, X_new = options.given(who, problem.X), options.given(who, problem.X_new)
        full, small = (build, X, problem.y), (build, few.astype(X.dtype), labels)
        line.seconds[who], model = options.time(who, _fit, full, small)
        asked.seconds[who], predictions[who] = options.time(
            who, model.predict, (X_new,), (X_new[:60],)
        )
        objectives[who] = _objective(model, problem)
        if not numeric and len(model.classes_) > 2:
            # Asked for a class, scikit-learn takes the first of those with most votes.
            predictions[who] = model.decision_function(X_new[:1000]).argmax(axis=1)
    for who in machines:
        if who == PEER:
            continue
        excess = (objectives[who] - objectives[PEER]) / abs(objectives[PEER])
        line.quality[f"objective {who}"] = excess
        difference = np.abs(predictions[who] - predictions[PEER])
        asked.quality[f"differ {who}"] = (
            float(difference.max()) if numeric else int((difference > 0).sum())
        )
    if not predict:
        line.quality |= asked.quality
    yield line
    if predict:
        yield asked


def _fit(build: Callable[[], Any], X: Any, y: Array) -> Any:
    return build().fit(X, y)


def _objective(model: Any, problem: Problem) -> float:
    """Return the dual objective, minimised, in float64; the sum over all duels."""
    support = np.asarray(model.support_)
    beta = _functions(model, problem.y[support])
    X = problem.X[support]
    value = 0.0
    for start in range(0, len(support), 2000):
        gram = rbf_kernel(X[start : start + 2000], X, gamma=problem.gamma)
        value += 0.5 * float((beta[:, start : start + 2000] * (beta @ gram.T)).sum())
    if problem.y.dtype.kind != "i":
        return value - float((beta @ problem.y[support]).sum()) + 0.1 * float(np.abs(beta).sum())
    return value - float(np.abs(beta).sum())


def _functions(model: Any, codes: Array) -> Array:
    """Return multipliers of shape (n_functions, n_support), of LIBSVM's layout too."""
    beta = np.asarray(model.dual_coef_, dtype=np.float64)
    classes = np.unique(codes) if codes.dtype.kind == "i" else np.empty(0)
    pairs = [(i, j) for i in range(len(classes)) for j in range(i + 1, len(classes))]
    if len(classes) < 3 or (len(beta) == len(pairs) and hasattr(model, "machine_")):
        return beta
    made = np.zeros((len(pairs), beta.shape[1]))
    for row, (i, j) in zip(made, pairs, strict=True):
        row[codes == classes[i]] = beta[j - 1, codes == classes[i]]
        row[codes == classes[j]] = beta[i, codes == classes[j]]
    return made


def leave_one_out_lines(problem: Problem, options: Options) -> Iterator[Line]:
    """Time leave-one-out of six C at one gamma."""
    line = Line("leave-one-out cancer", f"{problem.size}, {len(options.cut(C_GRID))} C")
    X, y = problem.X, problem.y
    values = options.cut(C_GRID)

    def ours(values: tuple[float, ...], X: Any, y: Array) -> Cells:
        search = SVCSearch(
            kernel="rbf",
            C=values,
            gamma=problem.gamma,
            cv=LeaveOneOut(),
            n_jobs=N_JOBS,
            engine=options.engine,
        )
        return _cells_of(search.fit(X, y), np.ones(len(y)))

    def peer(values: tuple[float, ...], X: Any, y: Array) -> Cells:
        return {
            (C, problem.gamma): (
                cross_val_predict(
                    peers.SVC(C=C, gamma=problem.gamma), X, y, cv=LeaveOneOut(), n_jobs=N_JOBS
                )
                == y
            ).astype(float)
            for C in values
        }

    made = {}
    few, labels = _few(problem)
    for who, work in {OURS: ours, PEER: peer}.items():
        full = values, options.given(who, X), y
        small = values[:1], options.given(who, few), labels
        line.seconds[who], made[who] = options.time(who, work, full, small)
    _compare_cells(line, made[OURS], made[PEER])
    yield line


def text_lines(problem: Problem, options: Options) -> Iterator[Line]:
    """Time a path of seven C of linear machines on sparse rows."""
    values = tuple(2.0**power for power in range(-5, 8, 2))
    values = options.cut(values)
    line = Line("path text", f"{problem.size} sparse, {len(values)} C")
    cv = StratifiedKFold(5, shuffle=True, random_state=0)

    def ours(values: tuple[float, ...], X: Any, y: Array) -> Any:
        search = SVCSearch(kernel="linear", C=values, cv=cv, n_jobs=N_JOBS, engine=options.engine)
        return search.fit(X, y)

    def peer(values: tuple[float, ...], X: Any, y: Array) -> Any:
        return _grid_of_peer(peers.LinearSVC(random_state=0), {"C": values}, cv, X, y)

    made = {}
    few = _few(problem)
    for who, work in {OURS: ours, PEER: peer}.items():
        full = values, problem.X, problem.y
        line.seconds[who], made[who] = options.time(who, work, full, (values[:1], *few))
        score = np.mean(made[who].predict(problem.X_new) == problem.y_new)
        line.quality[f"accuracy {who}"] = float(score)
    sizes = np.array([len(test) for _, test in cv.split(problem.X, problem.y)])
    _compare_cells(line, _cells_of(made[OURS], sizes), _cells_of(made[PEER], sizes))
    yield line


def all_lines(options: Options) -> dict[str, Callable[[], Iterator[Line]]]:
    """Return what makes the lines, by name."""
    rows = options.rows

    def binary() -> Problem:
        return embeddings(rows(2000), 384, n_new=rows(10_000))

    def ten() -> Problem:
        return embeddings(rows(10_000), 384, 10, rows(10_000), spread=0.7)

    def wide(spread: float) -> Problem:
        return embeddings(rows(8000), 1280, n_new=rows(10_000), spread=spread)

    def continuous() -> Problem:
        return numbers(rows(10_000), n_new=rows(10_000))

    return {
        "grid embeddings": lambda: search_lines("embeddings", binary(), options),
        "grid digits": lambda: search_lines("digits", digits(rows(1797)), options),
        "grid khan": lambda: search_lines("khan", khan(), options),
        "fit digits": lambda: fit_lines("digits", digits(rows(1797)), options),
        "fit khan": lambda: fit_lines("khan", khan(), options),
        "fit embeddings": lambda: fit_lines("embeddings", binary(), options, predict=True),
        "fit 10 classes": lambda: fit_lines("10 classes", ten(), options, predict=True),
        # The nearer the classes, the more support vectors: about 30%, 50% and 70% of the rows.
        "fit wide": lambda: fit_lines("wide", wide(0.4), options, predict=True),
        "fit wide, near": lambda: fit_lines("wide, near", wide(0.3), options),
        "fit wide, nearer": lambda: fit_lines("wide, nearer", wide(0.2), options),
        "fit numbers": lambda: fit_lines("numbers", continuous(), options),
        "leave-one-out cancer": lambda: leave_one_out_lines(cancer(rows(569)), options),
        "path text": lambda: text_lines(text(rows(4000)), options),
    }


# The table.


def machine() -> dict[str, str]:
    """Say on what, and with which versions, it was measured."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 0
    features = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]  # numpy tells it nowhere else
    known = ("AVX512F", "AVX2", "NEON")
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    said = {
        "cores": str(cores),
        "instructions": next((name for name in known if features.get(name)), "baseline"),
        "BLAS": ", ".join(sorted({f"{own['internal_api']} {own['version']}" for own in blas})),
        "threads": str(N_JOBS),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        OURS: f"{widemargin.__version__} ({native.level() or 'no native engine'})",
        PEER: sklearn.__version__,
    }
    from importlib.metadata import PackageNotFoundError, version

    for name, there in {INTELEX: intelex(), LIQUID: liquid()}.items():
        try:
            said[name] = version(name) if there else "absent"
        except PackageNotFoundError:
            said[name] = "unknown"
    return said


def print_line(line: Line) -> None:
    """Print one line of the table, and its quality below it."""

    def ratio(peer: str) -> str:
        value = line.ratio(peer)
        return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"

    must, aim = TARGETS.get(line.name, ("", ""))
    _say(
        f"{line.name:22}{line.size:26}{line.seconds[PEER]:10.3f}{line.seconds[OURS]:10.4f}"
        f"{ratio(PEER):>8}{must:>6}{aim:>5}"
        f"{ratio(INTELEX):>9}{ratio(LIQUID):>9}"
    )
    told = [
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in line.quality.items()
    ]
    _say(f"    {'; '.join(told)}")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the rows, 2 x 2 cells")
    parser.add_argument("--only", metavar="NAME", default="", help="lines whose name has this")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--peer-once", action="store_true", help="run a peer's long work once")
    parser.add_argument("--float64", action="store_true", help="give us rows of float64")
    parser.add_argument("--engine", default="auto", help="what solves our problems")
    chosen = parser.parse_args()
    options = Options(chosen.quick, chosen.peer_once, chosen.engine, chosen.float64)
    lines = {name: make for name, make in all_lines(options).items() if chosen.only in name}
    if not lines:
        parser.error(f"no line has {chosen.only!r}; they are: {', '.join(all_lines(options))}")
    warnings.filterwarnings("ignore", category=FutureWarning)
    done = []
    with threadpool_limits(N_JOBS):
        if not chosen.json:
            _say("; ".join(f"{name} {value}" for name, value in machine().items()))
            _say(
                f"{'':48}{'sk-learn':>10}{'ours':>10}{'times':>8}{'must':>6}{'aim':>5}"
                f"{'intelex':>9}{'liquid':>9}"
            )
        for make in lines.values():
            for line in make():
                done.append(line)
                if not chosen.json:
                    print_line(line)
    if chosen.json:
        ratios = [
            asdict(line) | {"ratio": line.ratio(), "target": TARGETS.get(line.name)}
            for line in done
        ]
        _say(json.dumps({"machine": machine(), "lines": ratios}, indent=1))


if __name__ == "__main__":
    main()
