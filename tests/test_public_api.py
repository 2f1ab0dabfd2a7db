"""The public API is what it was, documented, and light to import."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import GenericAlias
from typing import Any, is_typeddict

import pytest
from pydantic import BaseModel

import widemargin
from widemargin import errors

ROOT = Path(__file__).parent.parent

PUBLIC = {
    "widemargin": """
        Asset AssetFile Command DataError Dataset DatasetCard DatasetLoader EncoderSpec
        FeatureSection Items Kernel Metric Package Predictions ReportSection Section SplitRule
        Table UseCase WidemarginError Wording __version__ hookimpl load run
    """,
    "widemargin.data": """
        agreeing cell_text check_columns counted decode find_columns find_copies find_telltales
        fingerprint hash_file how_written iter_table iter_texts keep_file keep_folder LARGEST
        merge_groups MISSING near_duplicate_key near_duplicates open_text
        parse_numbers parse_target PictureFolder PictureLoader PictureTable plain_cells Progress
        read_decimal_commas read_table RecordingFolder RecordingLoader RecordingTable TableFormat
        TaskChoice text_items
    """,
    "widemargin.encoders": """
        ArrayInputs AutocovarianceEncoder BertEncoder Bin Binning change_weights Changes
        Checkpoints CnnEncoder Columns CompositionEncoder doubts_of EfficientNetEncoder
        EmbeddingStore Encoder EncoderChoice ENCODERS EncoderSpec Epoch EsmEncoder ExpressionEncoder
        FastTextEncoder Features FrozenEncoder gene_strengths GloveEncoder History HogEncoder
        IndicatorsEncoder Inputs is_numeric ItemsError JoinedEncoders Kind KmerEncoder KnownInputs
        Learns LogmelCnnEncoder LsaEncoder MfccEncoder MinilmEncoder NamedEncoder PixelsEncoder
        Population PretrainedFastText PretrainedGlove PretrainedWord2Vec ProfileSettings
        ProtParamEncoder ProtVecEncoder require_torchvision Residues ResNet50Encoder
        SequenceEncoder Share
        SpeechEmbeddingEncoder State StrokesEncoder TabularEncoder TabularSettings
        TextCnnEncoder TfidfEncoder TorchvisionEncoder train_network Trainable TrainedEncoder
        TrainingSettings Transformer TunableEncoder TunedEncoder TuneSettings WindowsEncoder
        Word2VecEncoder
    """,
    "widemargin.svm": """
        Calibration IndefiniteKernelWarning KERNELS KernelParameters Machine OneClassSVM Product SVC
        SVCSearch SVR SVRSearch SearchEdgeWarning Sum Term fit_calibration
    """,
    "widemargin.evaluation": """
        Bars Baseline baselines Block bootstrap_intervals calibration_curve CalibrationBin Cell
        CheckContext CHECKS Code corrected_t_test Estimate Estimates expected_calibration_error
        Facts Finding fold_scores Heatmap Histogram holm Interval Judged Lines Map METRICS
        NearDuplicates operating_points OperatingPoint paired_intervals PairedTest Picture
        Pictures Quote Quotes Refitted run_checks RunRecord Scatter Searched Series Study Table
        take Text
    """,
    "widemargin.testing": """
        Check ConformanceError DoesNotApply EncoderCheck EncoderSample Fixture Verdict
        check_beats_the_dummy check_deterministic check_empty_and_odd_items check_encoder
        check_encoder_clones check_encoder_is_deterministic check_encoder_learns
        check_encoder_needs_no_network check_encoder_odd_items check_encoder_round_trip
        check_encoder_rows_are_independent check_encoder_shape check_encoder_shares
        check_features_clone check_features_round_trip check_groups_do_not_cross
        check_held_out_rows_teach_nothing check_kernel check_kernel_is_positive
        check_kernel_parameters check_kernel_values check_learns check_lengths
        check_light_import check_loads_offline check_metric check_metric_counts_weights
        check_metric_prefers_the_truth check_metrics check_published_split_is_kept
        check_read_items check_repeated_items check_rows_are_read_alone check_runs_offline
        check_target_is_no_column check_use_case check_walks_forward encoder_checks examine
        kernel_checks load_fixture metric_checks sample_of use_case_checks
    """,
}


def public_objects() -> list[tuple[str, Any]]:
    """Return what is public, with its name: functions, classes and their own public methods."""
    found: dict[int, tuple[str, Any]] = {}
    for module in PUBLIC:
        public = importlib.import_module(module)
        for name in public.__all__:
            value = getattr(public, name)
            # Aliases, such as dict[str, int], have nothing to document.
            if isinstance(value, GenericAlias):
                continue
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            found.setdefault(id(value), (f"{module}.{name}", value))
            if inspect.isclass(value):
                for own, member in vars(value).items():
                    if own.startswith("_") or own == "model_config":
                        continue
                    if isinstance(member, property | classmethod | staticmethod):
                        member = member.fget if isinstance(member, property) else member.__func__
                    if inspect.isfunction(member):
                        found.setdefault(id(member), (f"{module}.{name}.{own}", member))
    return list(found.values())


DOCUMENTED = public_objects()


def fresh(code: str, *words: str) -> str:
    """Return what a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these(module: str) -> None:
    public = importlib.import_module(module)
    assert sorted(public.__all__) == sorted(PUBLIC[module].split())
    assert len(public.__all__) == len(set(public.__all__))
    for name in public.__all__:
        assert getattr(public, name) is not None


def test_the_front_door_has_at_most_25_names() -> None:
    assert len(widemargin.__all__) <= 25
    assert dir(widemargin) == widemargin.__all__


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'widemargin' has no attribute 'rum'"):
        widemargin.rum  # noqa: B018  # that it is looked up is the point


@pytest.mark.parametrize(("name", "value"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_everything_public_has_a_docstring(name: str, value: Any) -> None:
    said = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    assert said, f"{name} has no docstring"
    first = said.strip().splitlines()[0]
    assert first.endswith((".", "?", ":")), f"{name}: the first line must be one sentence"
    # A dataclass that documents nothing gets its signature for a docstring.
    assert not first.startswith(f"{value.__name__}("), f"{name} has no docstring"


def own_parameters(value: Any) -> list[str]:
    """Return the parameters that a caller gives; a config section describes its fields itself."""
    described = (BaseModel, BaseException)
    if inspect.isclass(value) and (
        issubclass(value, described) or is_typeddict(value) or is_protocol(value)
    ):
        return []
    return [name for name in inspect.signature(value).parameters if not name.startswith("_")]


def is_protocol(value: Any) -> bool:
    return bool(getattr(value, "_is_protocol", False))


# A method's parameters are mostly its class's subject, as in fit(X, y); these need no section.
CALLED = [
    (name, value)
    for name, value in DOCUMENTED
    if name.rpartition(".")[0] in PUBLIC and own_parameters(value)
]


@pytest.mark.parametrize(("name", "value"), CALLED, ids=[name for name, _ in CALLED])
def test_every_parameter_is_documented(name: str, value: Any) -> None:
    said = inspect.getdoc(value) or ""
    parameters = own_parameters(value)
    _, _, section = said.partition("Parameters\n----------\n")
    assert section, f"{name} takes {', '.join(parameters)} and has no Parameters section"
    section = re.split(r"\n\n\S.*\n-{3,}\n", section)[0]
    heads = re.findall(r"^(\S.*?)(?: : .*)?$", section, flags=re.MULTILINE)
    documented = {one.strip().lstrip("*") for head in heads for one in head.split(",")}
    absent = [one for one in parameters if one not in documented]
    assert not absent, f"{name} does not say what {', '.join(absent)} is"


# What importing costs

HEAVY = ("torch", "sklearn", "pandas", "scipy", "numpy", "pydantic", "matplotlib", "pyarrow")


def test_importing_widemargin_imports_no_library() -> None:
    loaded = set(
        json.loads(fresh("import json, sys, widemargin; print(json.dumps(sorted(sys.modules)))"))
    )
    assert not loaded & set(HEAVY)
    assert [name for name in loaded if name.startswith("widemargin")] == ["widemargin"]


@pytest.mark.parametrize("name", ["DataError", "WidemarginError"])
def test_catching_an_error_imports_no_library(name: str) -> None:
    code = "import json, sys, widemargin; widemargin.{}; print(json.dumps(sorted(sys.modules)))"
    assert not set(json.loads(fresh(code.format(name)))) & set(HEAVY)


def test_the_kit_imports_no_test_framework() -> None:
    code = "import json, sys, widemargin.testing; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(fresh(code)))
    assert not loaded & {"pytest", "_pytest", "hypothesis", "sklearn", "pandas"}


HELP = """
import json, sys
from widemargin.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    assert not stop.code, stop.code
print(json.dumps(sorted(sys.modules)))
"""


def test_help_loads_little_and_no_plugin() -> None:
    said = fresh(HELP, "--help").splitlines()
    assert any("spam" in line for line in said[:-1])
    loaded = set(json.loads(said[-1]))
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("widemargin_")}
    assert "widemargin.registry" not in loaded
    # Python itself, typer and rich; a library more adds a hundred at once.
    assert len(loaded) < 400


# What the docstrings draw and the plugins import


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│├└─ ]*)(\w+Error) ", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else "Exception"
    real = {
        name: value.__mro__[1].__name__
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert drawn == real
    assert set(real) <= set(errors.__all__)


def test_exit_codes_are_those_that_the_drawing_names() -> None:
    assert errors.InputError.exit_code == 2
    assert errors.WidemarginError.exit_code == 1


PLUGIN_SOURCES = sorted((ROOT / "plugins").rglob("*.py"))


@pytest.mark.parametrize("path", PLUGIN_SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plugins_import_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                assert alias.name.partition(".")[0] != "widemargin" or alias.name in PUBLIC
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = node.module.partition(".")[0]
            if package == "widemargin":
                assert node.module in PUBLIC
                assert {alias.name for alias in node.names} <= set(PUBLIC[node.module].split())
            elif package.startswith("widemargin_"):
                assert package == path.relative_to(ROOT / "plugins").parts[0]


def test_there_are_plugins_to_look_at() -> None:
    assert len(PLUGIN_SOURCES) > 5


def test_a_contract_forbids_plugins_every_package_that_is_not_public() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [
        one
        for one in settings["tool"]["importlinter"]["contracts"]
        if one["name"] == "Plugins use the public API, nothing deeper"
    ]
    core = {
        f"widemargin.{one.stem}"
        for one in (ROOT / "core" / "widemargin").iterdir()
        if one.suffix == ".py" or (one / "__init__.py").is_file()
    }
    wanted = {f"{name}.*" if name in PUBLIC else name for name in core - {"widemargin.__init__"}}
    assert set(contract["forbidden_modules"]) == wanted
