"""Character encodings of people's own files."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin import DataError
from widemargin.data import decode
from widemargin.data.readers.encodings import detect_encoding, open_text

SENTENCES = {
    "cp1252": "Schöne Grüße aus München, es kostet 5 €",
    "cp1251": "Привет, как дела? Приходи завтра вечером на ужин",
    "shift_jis": "無料で当選しました。今すぐ電話してください",
    "gb18030": "恭喜您中奖了请立即致电领取奖品",
}


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_utf8_comes_back_unchanged(text: str) -> None:
    assert decode(b"\xef\xbb\xbf" + text.encode()) == text
    assert decode(b"\xff\xfe" + text.encode("utf-16-le")) == text


@pytest.mark.parametrize("encoding", SENTENCES)
def test_other_encodings_are_guessed(encoding: str) -> None:
    assert decode(SENTENCES[encoding].encode(encoding)) == SENTENCES[encoding]


def test_a_pound_sign_is_western_rather_than_japanese() -> None:
    assert decode("You won £1000, call now".encode("latin-1")) == "You won £1000, call now"


def test_one_broken_byte_does_not_spoil_utf8() -> None:
    text = "é" * 200
    assert decode(text.encode() + b"\xff") == text + "\ufffd"


def test_binary_data_is_refused() -> None:
    with pytest.raises(DataError, match=r"binary data \(they hold zeros\)"):
        decode(b"PK\x03\x04\0\0")
    noise = bytes(i * i * 7919 % 251 + 1 for i in range(5000))
    with pytest.raises(DataError, match=r"fit no known encoding; save the text as UTF-8"):
        decode(noise)


def test_text_in_no_known_encoding_is_placed(tmp_path: Path) -> None:
    noise = bytes(i * i * 7919 % 251 + 1 for i in range(5000))
    first = next(at for at, byte in enumerate(noise) if byte > 127)
    line, at = noise[:first].count(b"\n") + 1, first + 1
    said = rf"The first byte that is not is 0x{noise[first]:02x} in line {{}}, byte {{}} of"
    with pytest.raises(DataError, match=said.format(line, at)):
        decode(noise)
    with pytest.raises(DataError, match=said.format(line + 1, at + 5)):
        decode(b"\xef\xbb\xbfa\n" + noise)
    path = tmp_path / "long.txt"
    # The first chunk ends within a character.
    head = b"x\n" * 32_766 + b"abc" + "é\n".encode()
    path.write_bytes(head + noise)
    assert len(head) == 65_538
    with pytest.raises(DataError, match=said.format(f"{32_767 + line:,}", f"{65_538 + at:,}")):
        detect_encoding(path)


def test_a_strange_byte_after_a_long_plain_head_is_found(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"plain\n" * 50_000 + "Grüße aus Köln\n".encode("latin-1"))
    with open_text(path) as text:
        assert list(text)[-1] == "Grüße aus Köln\n"


def test_a_character_cut_by_a_chunk_is_still_utf8(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * 65_535 + "é".encode() * 100)
    assert detect_encoding(path) == "utf-8-sig"


def test_gzip_is_unpacked_and_damage_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    packed = gzip.compress("Grüße\n".encode() * 1000)
    path.write_bytes(packed)
    with open_text(path) as text:
        assert text.readline() == "Grüße\n"
    path.write_bytes(packed[:-20])
    with pytest.raises(DataError, match=r"a\.txt\.gz: the gzip file is damaged .* make it anew"):
        detect_encoding(path)


def test_an_absent_file_names_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "mails.csv").touch()
    with pytest.raises(DataError, match=r"mail\.csv: there is no such file\. Did you mean 'mails"):
        detect_encoding(tmp_path / "mail.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder; a file is needed here"):
        detect_encoding(tmp_path)


def test_a_binary_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x89PNG\0\0")
    with pytest.raises(DataError, match=r"a\.txt: holds binary data, not text"):
        detect_encoding(tmp_path / "a.txt")
