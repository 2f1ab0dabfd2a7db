"""Print how well probabilities hold, by the way in which decisions become probabilities.

    python tests/benchmarks/calibration.py              # every data set; some minutes
    python tests/benchmarks/calibration.py iris spam    # these
    python tests/benchmarks/calibration.py few          # a sigmoid of few held-out rows

Machines are trained with class weights, chosen and calibrated within training rows, and judged on
rows that they have not seen: log loss, Brier score (the sum over the classes), expected calibration
error over ten bins, and how many rows have another most probable class than the machine's label
after its class weights, which is the label of "weighed". Where data come with a use case its outer
parts and features are taken; their assets come first (``widemargin data fetch``). Those of
scikit-learn are standardised and cross-validated five times in five folds, digits once; "uneven"
leaves ever fewer rows of each class, down to 15% of the last.

weighed
    Rows count by their class weights, which was the way until they were taken out. Beyond two
    classes the rule of succession counts one more row of each class.
now
    `widemargin.svm.fit_calibration` with the class weights.
temperatures
    Beyond two classes, without an offset for each class.
offsets
    Beyond two classes, with one, which is the same as now where there are class weights.
coupled
    A sigmoid for each pair of classes, coupled as Wu, Lin & Weng 2004 (JMLR 5, 975) advise by their
    second method; scikit-learn's data alone, whose machines are refitted for it.
isotonic
    Isotonic regression, where each class has 30 rows.
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from widemargin.config import parse_overrides
from widemargin.contracts import Predictions, Silent
from widemargin.data.assets import data_home, require
from widemargin.errors import ParameterError
from widemargin.evaluation import expected_calibration_error
from widemargin.registry import discover
from widemargin.runs.loading import load_dataset
from widemargin.runs.model import encode
from widemargin.runs.plan import make_plan
from widemargin.runs.runner import prepare
from widemargin.runs.setup import codes_of
from widemargin.runs.targets import resolve_target
from widemargin.runs.training import embed, train
from widemargin.svm import SVC, SVCSearch, fit_calibration
from widemargin.svm.calibration.sigmoid import fit_sigmoid
from widemargin.svm.calibration.softmax import fit_softmax, softmax
from widemargin.svm.calibration.temperature import fit_temperature, ordered_margins
from widemargin.svm.expansion import expand
from widemargin.svm.machine import duels

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
USE_CASES = {
    "proteins": ("proteins", []),
    "proteins balanced": ("proteins", ["svm.class_weight=balanced"]),
    "sounds": ("sounds", []),
    "spam": ("spam", ["svm.class_weight=balanced"]),
    "credit": ("credit", ["svm.costs=none"]),
}
TOYS = {
    "digits": (datasets.load_digits, 1),
    "iris": (datasets.load_iris, 5),
    "wine": (datasets.load_wine, 5),
    "breast cancer": (datasets.load_breast_cancer, 5),
}


class Part(NamedTuple):
    """Held-out decisions to calibrate on, and decisions on new rows to judge by.

    The functions, where there are any, are of each pair of classes.
    """

    held_out: Numbers
    codes: Codes
    class_weight: Numbers
    decision: Numbers
    truth: Codes
    functions: tuple[Numbers, Numbers] | None = None


def main() -> None:
    """Print one table, or one a data set."""
    warnings.simplefilter("ignore")
    asked = sys.argv[1:]
    if asked == ["few"]:
        few()
        return
    known: dict[str, Callable[[], Iterator[Part]]] = {}
    for name, (load, repeats) in TOYS.items():
        known[name] = partial(toy_parts, load, repeats, uneven=False)
        known[f"{name} uneven"] = partial(toy_parts, load, repeats, uneven=True)
    for name, (target, given) in USE_CASES.items():
        known[name] = partial(use_case_parts, target, given)
    for name, parts in known.items():
        if not asked or any(word in name for word in asked):
            show(name, list(parts()))


def use_case_parts(target: str, given: list[str]) -> Iterator[Part]:
    """Train on each outer part of a use case, as a run does."""
    registry = discover()
    config, name = resolve_target(target, [parse_overrides(given)], None, registry)
    use_case = registry.use_case(name)
    loaded = load_dataset(config, use_case.split, offline=True, mirror="", progress=Silent())
    dataset = loaded.dataset
    for asset in config.features.assets:
        require(asset, data_home(), offline=True, mirror="", progress=Silent())
    plan = make_plan(config, use_case.split, dataset)
    setup = prepare(config, use_case, registry, loaded, plan)
    embedded = None
    if config.features.learns == "nothing":
        embedded = embed(setup, dataset, share=not plan.published)
    for _, _, split in plan.outer:
        learned = split.train if plan.final is None or not plan.published else plan.final
        part = dataset.take(learned)
        trained = train(setup, part, embedded=embedded, taken=learned, progress=Silent())
        new = dataset.take(split.test)
        rows = (
            encode(trained.model.features, new.X) if embedded is None else embedded.rows[split.test]
        )
        held_out = np.concatenate([inner.test for inner in trained.inner])
        codes = codes_of(part.y, setup.classes)[held_out]
        weights = setup.weights(part.take(held_out))
        by_class = np.ones(len(setup.classes))
        if weights is not None:
            by_class[codes] = weights
        yield Part(
            trained.search.held_out,
            codes,
            by_class,
            trained.model.machine.decide(rows),
            codes_of(new.y, setup.classes),
        )


def toy_parts(load: Callable[..., Any], repeats: int, *, uneven: bool) -> Iterator[Part]:
    """Cross-validate on one of scikit-learn's data sets."""
    X, y = load(return_X_y=True)
    if uneven:
        rng = np.random.default_rng(0)
        shares = np.geomspace(1, 0.15, y.max() + 1)
        kept = [
            rng.permutation(np.flatnonzero(y == code))[: int(share * (y == code).sum())]
            for code, share in enumerate(shares)
        ]
        X, y = X[np.concatenate(kept)], y[np.concatenate(kept)]
    for seed in range(repeats):
        for learned, new in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
            scaler = StandardScaler().fit(X[learned])
            rows, others = scaler.transform(X[learned]), scaler.transform(X[new])
            search = SVCSearch(class_weight="balanced").fit(rows, y[learned])
            yield Part(
                search.held_out_decision_,
                y[learned][search.held_out_rows_],
                search.class_weight_,
                search.decision_function(others),
                y[new],
                _functions(search, rows, y[learned], others) if y.max() > 1 else None,
            )


def _functions(search: Any, X: Numbers, y: Codes, others: Numbers) -> tuple[Numbers, Numbers]:
    """Return what each pair's function says of the held-out rows, and of new ones."""
    told = []
    for train_rows, test in StratifiedKFold(5).split(X, y):
        machine = SVC(class_weight="balanced", **search.best_params_)
        machine.fit(X[train_rows], y[train_rows])
        told.append(_pairs(machine.machine_, X[test]))
    return np.concatenate(told), _pairs(search.machine_, others)


def _pairs(machine: Any, X: Numbers) -> Numbers:
    functions = expand(machine.kernel, X, machine.vectors, machine.dual_coef)
    return np.asarray(functions + machine.intercept, dtype=np.float64)


def weighed(part: Part) -> Numbers:
    """Return probabilities of classes as they weigh."""
    weight = part.class_weight[part.codes]
    if part.held_out.ndim == 1:
        return fit_sigmoid(part.held_out, part.codes, weight).probabilities(part.decision)
    return _succession(part)


def now(part: Part) -> Numbers:
    """Return what the library says."""
    fitted = fit_calibration(part.held_out, part.codes, class_weight=part.class_weight)
    return fitted.probabilities(part.decision)


def offsets(part: Part) -> Numbers:
    """Return probabilities with an offset for each class."""
    fitted = fit_temperature(part.held_out, part.codes, np.ones(len(part.codes)), offsets=True)
    return fitted.probabilities(part.decision)


def temperatures(part: Part) -> Numbers:
    """Return probabilities in the order of the decisions."""
    return fit_calibration(part.held_out, part.codes).probabilities(part.decision)


def isotonic(part: Part) -> Numbers:
    """Return what isotonic regression says."""
    return fit_calibration(part.held_out, part.codes, method="isotonic").probabilities(
        part.decision
    )


def coupled(part: Part) -> Numbers:
    """Couple the probabilities of pairs: minimise the sum of (r_ji p_i - r_ij p_j)^2."""
    assert part.functions is not None
    held_out, new = part.functions
    n_classes = part.decision.shape[1]
    matrix = np.zeros((len(new), n_classes, n_classes))
    for column, first, second in duels(n_classes):
        own = (part.codes == first) | (part.codes == second)
        codes = (part.codes[own] == first).astype(np.int64)
        fitted = fit_calibration(
            held_out[own, column], codes, class_weight=part.class_weight[[second, first]]
        )
        p = fitted.probabilities(new[:, column])[:, 1].clip(1e-7, 1 - 1e-7)
        matrix[:, first, first] += (1 - p) ** 2
        matrix[:, second, second] += p**2
        matrix[:, first, second] = matrix[:, second, first] = -p * (1 - p)
    found = np.linalg.solve(matrix + 1e-12 * np.eye(n_classes), np.ones((len(new), n_classes, 1)))
    p = found[..., 0].clip(1e-15)
    return np.asarray(p / p.sum(axis=1, keepdims=True), dtype=np.float64)


def _succession(part: Part) -> Numbers:
    """Fit temperatures to weighed rows and one more of each class."""
    weight = part.class_weight[part.codes]
    n, n_classes = weight.sum(), part.held_out.shape[1]
    features, new = (
        np.stack([decision.T, ordered_margins(decision).T])
        for decision in (part.held_out, part.decision)
    )
    sizes = np.sqrt(np.mean(features**2, axis=(1, 2), keepdims=True))
    theta = fit_softmax(
        features / sizes,
        (n * np.eye(n_classes)[:, part.codes] + 1) / (n + n_classes),
        weight,
        start=np.array([0.5, 0.5]),
        lower=np.array([np.exp(-5), 0.0]),
    )
    return softmax(np.einsum("a,aki->ki", theta, new / sizes)).T


METHODS: dict[str, Callable[[Part], Numbers]] = {
    "weighed": weighed,
    "now": now,
    "temperatures": temperatures,
    "offsets": offsets,
    "coupled": coupled,
    "isotonic": isotonic,
}


def show(name: str, parts: list[Part]) -> None:
    """Print a data set's table."""
    n_classes = len(parts[0].class_weight)
    factors = parts[0].class_weight
    print(f"{name}: {n_classes} classes, weights {factors.min():.2f} to {factors.max():.2f}")  # noqa: T201  # a table is the point
    print(f"    {'':12} {'loss':>8} {'Brier':>8} {'error':>8} {'labels':>8}")  # noqa: T201
    labels = np.concatenate([weighed(part).argmax(axis=1) for part in parts])
    truth = np.concatenate([part.truth for part in parts])
    for method, told in METHODS.items():
        if method in ("temperatures", "offsets") and n_classes == 2:
            continue
        if method == "coupled" and parts[0].functions is None:
            continue
        try:
            p = np.concatenate([told(part) for part in parts])
        except ParameterError:
            continue
        figures = " ".join(f"{figure:8.4f}" for figure in _scores(p, truth))
        print(f"    {method:12} {figures} {np.mean(p.argmax(axis=1) != labels):8.4f}")  # noqa: T201


def _scores(p: Numbers, truth: Codes) -> tuple[float, float, float]:
    """Return log loss, Brier score and expected calibration error."""
    right = p[np.arange(len(truth)), truth]
    told = Predictions(
        y_true=truth,
        y_pred=p.argmax(axis=1),
        decision=p[:, 1],
        probability=p,
        classes=tuple(map(str, range(p.shape[1]))),
        positive=1,
        ids=np.arange(len(truth)).astype(np.str_),
        weight=np.ones(len(truth)),
    )
    return (
        float(-np.log(right.clip(1e-15)).mean()),
        float(((p - np.eye(p.shape[1])[truth]) ** 2).sum(axis=1).mean()),
        expected_calibration_error(told),
    )


def few() -> None:
    """Print log loss by the number of held-out rows, without the prior and with it."""
    found: dict[int, list[tuple[float, float, float, float]]] = defaultdict(list)
    for held_out, codes, decision, truth in _few_parts():
        row: list[float] = []
        for fitted in (
            fit_sigmoid(held_out, codes, np.ones(len(codes))),
            fit_calibration(held_out, codes),
        ):
            p = fitted.probabilities(decision)
            row += [_scores(p, truth)[0], float(np.mean(p.argmax(axis=1) == truth))]
        upper = next(one for one in (4, 8, 16, 30, 60) if len(codes) <= one)
        found[upper].append((row[0], row[1], row[2], row[3]))
    print("held out to  machines   Platt: loss  worst  accuracy   now: loss  worst  accuracy")  # noqa: T201
    for upper, rows in sorted(found.items()):
        told = np.array(rows)
        mean, worst = told.mean(axis=0), told.max(axis=0)
        print(  # noqa: T201
            f"{upper:11} {len(told):9}   {mean[0]:11.4f} {worst[0]:6.2f} {mean[1]:9.3f}"
            f"   {mean[2]:9.4f} {worst[2]:6.2f} {mean[3]:9.3f}"
        )


def _few_parts() -> Iterator[tuple[Numbers, Codes, Numbers, Codes]]:
    """Learn from few rows; in folds, or with a quarter of them held out once."""
    for X, y in _problems():
        for count, seed in ((count, seed) for count in (3, 6, 12, 30) for seed in range(8)):
            rng = np.random.default_rng(seed)
            learned = np.concatenate(
                [rng.permutation(np.flatnonzero(y == code))[:count] for code in (0, 1)]
            )
            new = rng.permutation(np.setdiff1d(np.arange(len(y)), learned))[:600]
            scaler = StandardScaler().fit(X[learned])
            rows, codes = scaler.transform(X[learned]), y[learned]
            quarter = max(1, count // 4)
            once = np.concatenate([np.arange(quarter), count + np.arange(quarter)])
            folds: list[Any] = [
                min(5, count),
                [(np.setdiff1d(np.arange(2 * count), once), once)],
            ]
            for cv, kernel in ((cv, kernel) for cv in folds for kernel in ("rbf", "linear")):
                search = SVCSearch(kernel, C=(0.1, 1.0, 10.0), gamma="scale", cv=cv)
                search.fit(rows, codes)
                yield (
                    search.held_out_decision_,
                    codes[search.held_out_rows_],
                    search.decision_function(scaler.transform(X[new])),
                    y[new],
                )


def _problems() -> Iterator[tuple[Numbers, Codes]]:
    yield datasets.load_breast_cancer(return_X_y=True)
    X, y = datasets.load_digits(return_X_y=True)
    yield X, (y >= 5).astype(np.int64)
    for first, second in ((3, 8), (0, 1)):
        own = np.isin(y, (first, second))
        yield X[own], (y[own] == second).astype(np.int64)
    for load in (datasets.load_wine, datasets.load_iris):
        X, y = load(return_X_y=True)
        yield X[y > 0], y[y > 0] - 1
    for seed, informative, flipped in ((0, 6, 0.05), (1, 3, 0.2)):
        yield datasets.make_classification(
            3000,
            n_features=20,
            n_informative=informative,
            class_sep=0.55,
            flip_y=flipped,
            random_state=seed,
        )


if __name__ == "__main__":
    main()
