"""The report's part for biologists: which genes, how steadily, and how they look in the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin import ReportSection, Table
from widemargin.encoders import gene_strengths
from widemargin.evaluation import Block, Heatmap, Lines, Series, Text
from widemargin_cancer.genes import GeneEncoder
from widemargin_cancer.stability import draw_units, stability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.evaluation import Refitted, Study

__all__ = ["gene_sections"]

_RESAMPLES, _SHARE = 30, 0.8
_SIGNATURE = 50
_LISTED, _DRAWN, _SAMPLES = 40, 30, 120
_MEASURES = {
    "kept": "the {n} genes that the features keep",
    "ranked": "the {n} genes that rank highest",
    "weight": "the {n} genes of the largest weights",
    "difference": "the {n} genes whose means differ most between the classes (F of the analysis of "
    "variance), as the machine's kernel gives genes no weight",
}


@dataclass(frozen=True)
class _Signature:
    """What one model makes of the genes: which it holds to, and how much each counts."""

    measure: str
    chosen: NDArray[np.bool_]
    worth: NDArray[np.float64]
    n_kept: int


def gene_sections(study: Study) -> Sequence[ReportSection]:
    """Return the ranking of genes with its stability, and the heat map of the first ones."""
    dataset = study.dataset
    if dataset.task != "classification":
        return []
    genes = [str(name) for name, kind in dataset.kinds.items() if kind == "expression"]
    learned = dataset.take(study.learned)
    # Missing values are no matter of the ranking: the gene's mean, so that its means stand.
    values = learned.X[genes].to_numpy(dtype=np.float64)
    values = np.where(np.isnan(values), _mean(values), values)
    place = {name: column for column, name in enumerate(genes)}

    saved = _signature(study.model, values, learned.y, place)
    size = int(saved.chosen.sum())
    rng = np.random.default_rng(study.seed)
    drawn = []
    with study.progress.stage("genes over resamples", total=_RESAMPLES) as stage:
        for _ in range(_RESAMPLES):
            rows = draw_units(learned.y, learned.groups, _SHARE, rng)
            model = study.refit(study.learned[rows])
            drawn.append(_signature(model, values[rows], learned.y[rows], place, size))
            stage.advance()
    chosen = np.stack([one.chosen for one in drawn])
    frequency = chosen.mean(axis=0)
    # By how often a gene is chosen, then by its worth to the saved model, then by its column.
    order = np.lexsort((np.arange(len(genes)), -saved.worth, -frequency))
    blocks: list[Block] = [
        *_steadiness(chosen, saved, [one.n_kept for one in drawn]),
        *_counts(study.model),
        _table(genes, order, frequency, saved, values, learned.y),
    ]
    intro = (
        f"{_RESAMPLES} times, {_SHARE:.0%} of the samples of each class that the saved model "
        "learned from are drawn, patients whole, and features and machine are fitted to them anew. "
        "What is chosen each time is a signature."
    )
    return [
        ReportSection(title="Which genes, and how steadily", intro=intro, blocks=blocks),
        ReportSection(
            title="How they look in the samples",
            blocks=[_heatmap(genes, order[:_DRAWN], values, learned.y, learned.ids)],
        ),
    ]


def _signature(
    model: Refitted,
    values: NDArray[np.float64],
    y: NDArray[Any],
    place: dict[str, int],
    size: int | None = None,
) -> _Signature:
    """Say which genes a model holds to; `size` is how many where they are merely ranked."""
    names = [str(name) for name in model.features.get_feature_names_out()]
    columns = np.array([place.get(name, -1) for name in names])
    known = columns >= 0
    kept = np.zeros(len(place), bool)
    kept[columns[known]] = True
    worth = np.zeros(len(place))
    if model.coef is not None:
        weight = np.sqrt((np.atleast_2d(model.coef) ** 2).sum(axis=0))
        np.maximum.at(worth, columns[known], weight[known])
        measure = "weight"
    else:
        worth[kept] = np.minimum(gene_strengths(values[:, kept], y, "f"), 1e9)
        measure = "difference"
    n_kept = int(kept.sum())
    if size is None:
        size = n_kept if n_kept < len(place) else min(_SIGNATURE, len(place) // 2)
    ranking = _ranking(model)
    if ranking is not None:
        measure, best = "ranked", np.array([place[name] for name in ranking[:size]])
    elif n_kept < len(place):
        measure, best = "kept", np.flatnonzero(kept)
    else:
        best = np.argsort(-worth, kind="stable")[:size]
    chosen = np.zeros(len(place), bool)
    chosen[best] = True
    return _Signature(measure, chosen, worth, n_kept)


def _ranking(model: Refitted) -> list[str] | None:
    """Return the genes in the order of the encoder ``genes``, if that is the only one."""
    encoders = [encoder for _, _, encoder in getattr(model.features, "blocks", ())]
    if len(encoders) == 1 and isinstance(encoders[0], GeneEncoder):
        return encoders[0].ranking()
    return None


def _steadiness(chosen: NDArray[np.bool_], saved: _Signature, kept: Sequence[int]) -> list[Block]:
    sizes = chosen.sum(axis=1)
    size = (
        f"{sizes.min():,}" if sizes.min() == sizes.max() else f"{sizes.min():,} to {sizes.max():,}"
    )
    what = _MEASURES[saved.measure].format(n=size)
    told = f"A signature is {what}, of {chosen.shape[1]:,}."
    if saved.measure == "ranked" and min(kept) < max(kept):
        told += (
            f" The saved model keeps {saved.n_kept:,}; left to choose, the models of the resamples "
            f"keep {min(kept):,} to {max(kept):,}."
        )
    steady = stability(chosen)
    if steady is None:
        return [Text(text=f"{told} How steady that is cannot be said: all genes are in each.")]
    word = "poor" if steady.index < 0.4 else "fair to good" if steady.index <= 0.75 else "excellent"
    always = int((chosen.mean(axis=0) == 1).sum())
    return [
        Text(
            text=f"{told} Their stability is {steady.index:.2f} ({steady.low:.2f} to "
            f"{steady.high:.2f}), {word}: 0 is what drawing genes by lot would give, 1 the same "
            "genes each time (Nogueira, Sechidis and Brown 2018; below 0.4 poor, above 0.75 "
            f"excellent). In every signature: {always:,}. Any two resamples share most of their "
            "samples; the genes of other patients may agree less."
        )
    ]


def _counts(model: Refitted) -> list[Block]:
    """Draw what each number of genes was worth to the saved model's own cross-validation."""
    blocks: list[Block] = []
    for _, _, encoder in getattr(model.features, "blocks", ()):
        if isinstance(encoder, GeneEncoder) and len(encoder.counts_) > 1:
            blocks.append(
                Lines(
                    title="Mistakes by number of genes",
                    x_label="genes",
                    y_label="mistakes",
                    x_log=True,
                    markers=True,
                    series=[
                        Series(
                            name="cross-validation within the training samples",
                            x=[float(count) for count in encoder.counts_],
                            y=encoder.mistakes_.tolist(),
                        )
                    ],
                    vertical=[(float(len(encoder.kept_)), f"{len(encoder.kept_):,} kept")],
                    note="Mean of three cross-validations of five parts; of equal numbers of "
                    "mistakes the most genes are taken. These mistakes chose the number and "
                    "measure nothing.",
                )
            )
    return blocks


def _table(
    genes: Sequence[str],
    order: NDArray[np.intp],
    frequency: NDArray[np.float64],
    saved: _Signature,
    values: NDArray[np.float64],
    y: NDArray[Any],
) -> Table:
    classes = np.unique(y)
    means = np.stack([values[y == name].mean(axis=0) for name in classes])
    by_weight = saved.measure != "difference" and saved.worth.any()
    rows = [
        (
            rank,
            genes[g],
            round(float(frequency[g]), 2),
            "yes" if saved.chosen[g] else "no",
            float(f"{saved.worth[g]:.3g}"),
            str(classes[means[:, g].argmax()]),
            *(float(f"{mean:.3g}") for mean in means[:, g]),
        )
        for rank, g in enumerate(order[:_LISTED], 1)
    ]
    worth = "weight" if by_weight else "worth"
    return Table(
        title=f"The first {len(rows)} genes",
        columns=(
            *("rank", "gene", "share of resamples", "in the saved model", worth, "highest in"),
            *(f"mean, {name}" for name in classes),
        ),
        rows=rows,
        note="Ranked by the share of resamples that chose the gene, then by its weight in the "
        "saved model (root sum of squares over the machines of all classes; F where the kernel "
        "gives none). Means are of the values as given, over samples that the model learned from.",
    )


def _heatmap(
    genes: Sequence[str],
    top: NDArray[np.intp],
    values: NDArray[np.float64],
    y: NDArray[Any],
    ids: NDArray[Any],
) -> Heatmap:
    classes, counts = np.unique(y, return_counts=True)
    # Of many samples an even share of each class is drawn.
    share = min(1.0, _SAMPLES / len(y))
    rows = np.concatenate(
        [
            np.flatnonzero(y == name)[: max(1, round(share * count))]
            for name, count in zip(classes, counts, strict=True)
        ]
    )
    own = values[:, top]
    spread = own.std(axis=0)
    levels = ((own - own.mean(axis=0)) / np.where(spread > 0, spread, 1.0))[rows]
    # Genes that are highest in one class stand together, the classes in their order.
    means = np.stack([levels[y[rows] == name].mean(axis=0) for name in classes])
    turn = np.lexsort((np.arange(len(top)), -means.max(axis=0), means.argmax(axis=0)))
    return Heatmap(
        title=f"The first {len(top)} genes in {len(rows)} samples",
        x_label="samples, by class",
        y_label="gene",
        columns=[f"{ids[row]}, {y[row]}" for row in rows],
        rows=[genes[g] for g in top[turn]],
        values=np.clip(levels[:, turn].T, -2.5, 2.5).tolist(),
        bands=[(str(name), int((y[rows] == name).sum())) for name in classes],
        note="Each gene in standard deviations from its mean over all samples that the model "
        "learned from, cut at 2.5; the deeper, the higher. The genes were chosen because they "
        "differ in these very samples, so that the picture illustrates and proves nothing.",
    )


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: NDArray[np.float64] = total / np.maximum(known.sum(axis=0), 1)
    return mean
