"""What the parts of widemargin hand each other: typed values and small protocols."""

from widemargin.contracts.asset import Asset, AssetFile, Package
from widemargin.contracts.blocks import Block, ReportSection
from widemargin.contracts.checkpoints import Checkpoints
from widemargin.contracts.command import Command
from widemargin.contracts.dataset import Columns, Dataset, DatasetCard, Items, Kind, Task, n_rows
from widemargin.contracts.encoder import Encoder, EncoderSpec, Learns, Population, Share, State
from widemargin.contracts.figure_blocks import Bars, Heatmap, Histogram, Lines, Map, Scatter, Series
from widemargin.contracts.kernel import Kernel, KernelParameters
from widemargin.contracts.loader import DatasetLoader
from widemargin.contracts.metric import Metric
from widemargin.contracts.picture_blocks import Picture, Pictures
from widemargin.contracts.predictions import Predictions
from widemargin.contracts.progress import Once, Progress, Silent, Stage
from widemargin.contracts.record import RunRecord
from widemargin.contracts.section import Auto, Grid, PositiveFloat, Section
from widemargin.contracts.settings import (
    BlockSettings,
    EvaluationSettings,
    FeatureSection,
    SVMSettings,
)
from widemargin.contracts.split import Split, SplitRule
from widemargin.contracts.study import Judged, Refitted, Study
from widemargin.contracts.text_blocks import (
    Cell,
    Code,
    Estimate,
    Estimates,
    Facts,
    Quote,
    Quotes,
    Table,
    Text,
)
from widemargin.contracts.use_case import UseCase, Wording

__all__ = [
    "Asset",
    "AssetFile",
    "Auto",
    "Bars",
    "Block",
    "BlockSettings",
    "Cell",
    "Checkpoints",
    "Code",
    "Columns",
    "Command",
    "Dataset",
    "DatasetCard",
    "DatasetLoader",
    "Encoder",
    "EncoderSpec",
    "Estimate",
    "Estimates",
    "EvaluationSettings",
    "Facts",
    "FeatureSection",
    "Grid",
    "Heatmap",
    "Histogram",
    "Items",
    "Judged",
    "Kernel",
    "KernelParameters",
    "Kind",
    "Learns",
    "Lines",
    "Map",
    "Metric",
    "Once",
    "Package",
    "Picture",
    "Pictures",
    "Population",
    "PositiveFloat",
    "Predictions",
    "Progress",
    "Quote",
    "Quotes",
    "Refitted",
    "ReportSection",
    "RunRecord",
    "SVMSettings",
    "Scatter",
    "Section",
    "Series",
    "Share",
    "Silent",
    "Split",
    "SplitRule",
    "Stage",
    "State",
    "Study",
    "Table",
    "Task",
    "Text",
    "UseCase",
    "Wording",
    "n_rows",
]
