"""The loader of the drum kits that come with Hydrogen, the drum machine."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import RecordingLoader

__all__ = ["DRUM_KITS_ASSET", "DrumKits"]

_INSTALLED = "usr/share/hydrogen/data/drumkits"

with Path(__file__).with_name("kits.csv").open(encoding="utf-8", newline="") as _file:
    _KITS = list(csv.DictReader(_file))
"""Each recording's family of instruments, place, size and hash; the README says how it was made."""

DRUM_KITS_ASSET = Asset(
    name="drum-kits",
    title="Drum kits of Hydrogen",
    licence="GPL-2, GPL-2+, CC BY 3.0, CC BY-SA 3.0 US and CC0, by kit",
    origin="the authors of the 13 kits, Debian's package hydrogen-drumkits",
    package=Package(index="debian", name="hydrogen-drumkits", size=142_675_622),
    files=tuple(
        AssetFile(
            name=row["file"],
            member=f"{_INSTALLED}/{row['file']}",
            size=int(row["size"]),
            sha256=row["sha256"],
        )
        for row in _KITS
    ),
)


class DrumKits(RecordingLoader):
    """Single strokes of 13 drum kits, by the family of the instrument; no split parts a kit."""

    assets: ClassVar[tuple[Asset, ...]] = (DRUM_KITS_ASSET,)
    n_items: ClassVar[int] = 536

    source: Literal["drum-kits"] = Field("drum-kits", description="the drum kits of Hydrogen")

    def load(self, data_home: Path) -> Dataset:
        """List the recordings; each is read when it is encoded."""
        import numpy as np

        names = [row["file"] for row in _KITS]
        paths = [DRUM_KITS_ASSET.path(data_home, name) for name in names]
        absent = [path for path in paths if not path.is_file()]
        if absent:
            raise DataError(
                f"{absent[0]}: {len(absent)} of {len(paths)} recordings are not there; get them "
                f"with `widemargin data fetch {DRUM_KITS_ASSET.name}`."
            )
        card = DatasetCard(
            title="Drum kits of Hydrogen",
            source="https://github.com/hydrogen-music/hydrogen",
            licence=DRUM_KITS_ASSET.licence,
            citation=DRUM_KITS_ASSET.origin,
            target="family of instruments",
            item=self.item,
        )
        labels = np.array([row["family"] for row in _KITS], dtype=np.str_)
        kits = [name.partition("/")[0] for name in names]
        return self.file_dataset(paths, labels, names, card, kits)
