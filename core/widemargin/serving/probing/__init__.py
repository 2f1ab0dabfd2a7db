"""Probing an encoder: its words where it has any, and the items of a use case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Checkpoints, Dataset, Progress, SplitRule
from widemargin.data.assets import data_home, require
from widemargin.data.splits import make_splits
from widemargin.encoders.features import EncoderChoice, Features
from widemargin.encoders.items import texts_of
from widemargin.encoders.store import EmbeddingStore, store_folder
from widemargin.errors import InputError
from widemargin.runs.loading import load_dataset
from widemargin.serving.features import fit_features
from widemargin.serving.probing.asked import Asked
from widemargin.serving.probing.items import ItemProbe, draw_items, probe_items
from widemargin.serving.probing.words import Near, WordProbe, has_words, probe_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig

__all__ = ["Asked", "ItemProbe", "Near", "Probe", "WordProbe", "needs_data", "probe"]

_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What an encoder says.

    Parameters
    ----------
    encoder : str
        Its name.
    settings : dict
        Its settings.
    words : WordProbe or None
        None for encoders that have no words.
    items : ItemProbe or None
        None where no use case was named, and none needed.
    """

    encoder: str
    settings: dict[str, Any]
    words: WordProbe | None
    items: ItemProbe | None

    def to_data(self) -> dict[str, Any]:
        """Return JSON values; what is not defined is null."""
        data = _plain(asdict(self))
        assert isinstance(data, dict)
        return data


def needs_data(config: RunConfig) -> bool:
    """Say whether an encoder cannot be probed without the items of a use case."""
    choice = _choice(config)
    return config.features.learns != "nothing" or not has_words(choice.spec.build(choice.settings))


def probe(
    config: RunConfig,
    rule: SplitRule,
    asked: Asked,
    *,
    with_items: bool,
    offline: bool = False,
    mirror: str = "",
    progress: Progress,
    checkpoints: Checkpoints | None = None,
) -> Probe:
    """Probe the encoder of a config.

    Parameters
    ----------
    config : RunConfig
        Resolved, with one encoder.
    rule : SplitRule
        How the use case divides its rows.
    asked : Asked
        What to ask.
    with_items : bool
        Whether to load the use case's data and probe its items, too; done anyway where the encoder
        cannot be probed without.
    offline, mirror
        Whether fetching is forbidden, and where assets are looked for first.
    progress : Progress
        Told of every stage.
    checkpoints : Checkpoints, optional
        Where training that takes long keeps how far it is.

    Raises
    ------
    InputError
        Where a question does not fit the encoder, or names what is unknown.
    DataError, AssetError
        Where data or weights cannot be used.
    """
    asked.check()
    choice = _choice(config)
    name = choice.spec.name
    # Which attributes it has beyond an encoder's own follows from its type.
    encoder: Any = choice.spec.build(choice.settings)
    worded = has_words(encoder) and config.features.learns != "y"
    if asked.about_words and not worded:
        raise InputError(
            f"{name} has no vectors of words, which {asked.about_words} is about; word2vec, glove, "
            "fasttext, and minilm and bert as they come have. Leave it out."
        )
    if not (with_items or needs_data(config)):
        if asked.items:
            raise InputError(
                "--item is about the items of a use case; name one behind the encoder, as in "
                f"`widemargin probe {name} spam`."
            )
        _require(config, offline, mirror, progress)
        encoder.store = EmbeddingStore(store_folder(), progress)
        encoder.progress = progress
        words, items = probe_words(encoder, asked), None
    else:
        loaded = load_dataset(config, rule, offline=offline, mirror=mirror, progress=progress)
        _require(config, offline, mirror, progress)
        dataset = loaded.dataset
        train, rows = _divide(dataset, rule, config)
        rows = draw_items(dataset, rows, asked, config.seed)
        features = fit_features(config, dataset, progress, rows=train, checkpoints=checkpoints)
        words = None
        if worded:
            _, columns, encoder = features.blocks[0]
            texts = texts_of({column: dataset.X[column] for column in columns})
            words = probe_words(encoder, asked, texts, dataset.y, config.use_case)
        held_out = train is not None
        items = probe_items(features, dataset, rows, asked, config, held_out=held_out)
    settings = choice.settings.model_dump(mode="json")
    return Probe(encoder=name, settings=settings, words=words, items=items)


def _choice(config: RunConfig) -> EncoderChoice:
    features = config.features
    if not isinstance(features, Features):
        raise InputError(
            f"{config.use_case} makes its features itself and takes no encoder; name another use "
            "case."
        )
    if len(features.encoder) != 1:
        raise InputError(
            "probe is about one encoder, and features.encoder has several; leave them out."
        )
    return features.encoder[0]


def _require(config: RunConfig, offline: bool, mirror: str, progress: Progress) -> None:
    for asset in config.features.assets:
        require(asset, data_home(), offline=offline, mirror=mirror, progress=progress)


def _divide(
    dataset: Dataset, rule: SplitRule, config: RunConfig
) -> tuple[NDArray[np.intp] | None, NDArray[np.intp]]:
    """Return rows to learn from (None for all) and rows to probe.

    Vectors that were learnt from labels have the classes apart on the rows they were learnt from;
    they are probed on others.
    """
    if config.features.learns != "y":
        return None, np.arange(len(dataset))
    split = make_splits(
        dataset.y, rule, n_splits=_FOLDS, groups=dataset.groups, random_state=config.seed
    )[0]
    return split.train, split.test


def _plain(value: Any) -> Any:
    """Return JSON values; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
