"""Files of word vectors: both forms, one word at a time, and damage named where it is."""

from __future__ import annotations

import pickle  # noqa: TID251  # made to be refused
from pathlib import Path

import numpy as np
import pytest

from widemargin.encoders.text.vector_files import VectorFile, open_vectors
from widemargin.errors import DataError

MATRIX = np.array([[1.5, -2, 3e-5], [0, 4, 1], [7, 8, 9]], np.float32)
WORDS = ["win", "£5", "naïve"]


def text_file(folder: Path, lines: list[str], name: str = "own.vec", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes((end.join(lines) + end).encode())
    return path


def binary(words: list[str], header: str = "3 3", after: bytes = b"\n") -> bytes:
    rows = zip(words, MATRIX, strict=True)
    body = b"".join(word.encode() + b" " + row.tobytes() + after for word, row in rows)
    return header.encode() + b"\n" + body


def binary_file(folder: Path, content: bytes) -> Path:
    path = folder / "own.bin"
    path.write_bytes(content)
    return path


LINES = ["3 3", *(f"{w} {' '.join(map(repr, r.tolist()))}" for w, r in zip(WORDS, MATRIX))]  # noqa: B905  # equal by construction


def check(file: VectorFile) -> None:
    assert (len(file), file.dimension) == (3, 3)
    for word, row in zip(WORDS, MATRIX, strict=True):
        vector = file.vector(word)
        assert vector is not None
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, row)
    assert file.vector("tea") is None
    assert file.vector("wi") is None
    assert file.vector("\ud83d") is None
    assert file.compose("tea") is None
    words, matrix = file.word_vectors(2)
    assert words == WORDS[:2]
    np.testing.assert_array_equal(matrix, MATRIX[:2])


@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
@pytest.mark.parametrize("lines", [LINES, LINES[1:], ["\ufeff" + LINES[0], *LINES[1:]]])
def test_text_is_read_with_a_header_and_without(tmp_path: Path, lines: list[str], end: str) -> None:
    check(VectorFile(text_file(tmp_path, lines, end=end)))


def test_text_may_end_without_a_line_feed_or_with_several(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    for whole in ("\n".join(LINES), "\n".join(LINES) + "\n\n\n"):
        path.write_text(whole, encoding="utf-8")
        check(VectorFile(path))


@pytest.mark.parametrize("after", [b"", b"\n"])
def test_binary_is_read_with_line_feeds_and_without(tmp_path: Path, after: bytes) -> None:
    check(VectorFile(binary_file(tmp_path, binary(WORDS, after=after))))


def test_gensim_writes_what_is_read(tmp_path: Path) -> None:
    vectors = pytest.importorskip("gensim.models").KeyedVectors(3)
    vectors.add_vectors(WORDS, MATRIX)
    for name, is_binary in (("own.bin", True), ("own.txt", False)):
        vectors.save_word2vec_format(str(tmp_path / name), binary=is_binary)
        check(VectorFile(tmp_path / name))


def test_a_word_of_several_words_is_read_as_glove_writes_it(tmp_path: Path) -> None:
    file = VectorFile(text_file(tmp_path, ["win 1 2", ". . . 3 4"]))
    vector = file.vector(". . .")
    assert vector is not None
    assert vector.tolist() == [3, 4]


def test_of_a_word_that_stands_there_twice_the_first_counts(tmp_path: Path) -> None:
    file = VectorFile(text_file(tmp_path, ["win 1 2", "cash 3 4", "win 5 6"]))
    vector = file.vector("win")
    assert vector is not None
    assert vector.tolist() == [1, 2]


def test_a_file_is_gone_through_once_until_it_changes(tmp_path: Path) -> None:
    path = text_file(tmp_path, ["win 1 2"])
    first = open_vectors(path, "word2vec")
    assert open_vectors(path, "word2vec") is first
    text_file(tmp_path, ["win 1 2", "cash 3 4"])
    assert len(open_vectors(path, "word2vec")) == 2


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["3 3", *LINES[1:3]], "line 1 promises 3 words, and there are 2; it is cut off."),
        (["2 3", *LINES[1:]], "line 1 promises 2 words, and line 4 has more."),
        (
            ["2 3", "win 1 2 3", "cash 1 2"],
            "line 3: expected a word and 3 numbers with a space between them, found 3 fields.",
        ),
        (
            ["win 1 2", "", "cash 3 4"],
            "line 2: expected a word and 2 numbers with a space between them, found 1 fields.",
        ),
        (["hello"], "line 1 is neither `words dimension` nor a word with its numbers"),
        (
            ["999999999999 300", "win 1"],
            "line 1 promises 999,999,999,999 words of 300 numbers, which do not fit into its 23 "
            "bytes; it is cut off, or the line is wrong.",
        ),
        (["0 3"], "line 1 promises 0 words of 3 numbers."),
        (["3 999999999"], "line 1 promises 3 words of 999,999,999 numbers."),
    ],
)
def test_a_damaged_text_is_refused_by_its_line(tmp_path: Path, lines: list[str], says: str) -> None:
    path = text_file(tmp_path, lines)
    with pytest.raises(DataError) as caught:
        VectorFile(path)
    assert str(caught.value).startswith(f"word2vec: {path} {says}")


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("x1", "line 2: b'x1' is no number."),
        ("nan", "line 2: a number is not finite, or too large for float32."),
        ("1e39", "line 2: a number is not finite, or too large for float32."),
    ],
)
def test_a_number_that_is_none_is_refused_when_its_word_is_asked_for(
    tmp_path: Path, number: str, says: str
) -> None:
    file = VectorFile(text_file(tmp_path, ["win 1 2", f"cash {number} 4"]))
    assert file.vector("win") is not None
    with pytest.raises(DataError) as caught:
        file.vector("cash")
    assert str(caught.value).endswith(says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            binary(WORDS)[:-14],
            "line 1 promises 3 words, and the file ends in word 3, at byte 44; it is cut off.",
        ),
        (
            binary(WORDS, "4 3"),
            "line 1 promises 4 words, and the file ends in word 4, at byte 58; it is cut off.",
        ),
        (
            binary(WORDS, "3 2"),
            "line 1 promises 3 words of 2 numbers, and at byte",
        ),
        (
            binary(WORDS, "900000 300"),
            "line 1 promises 900,000 words of 300 numbers, which do not fit into its 65 bytes",
        ),
        (b"win 1 2\n", "is no binary file of word2vec, which begins with a line `words dimens"),
        (
            b"\0" * 300,
            "is no binary file of word2vec, which begins with a line `words dimension`. Give one "
            "that does, or text that ends in .txt or .vec; a .bin file that fastText wrote is for "
            "the encoder fasttext.",
        ),
        (b"3 3", "is no binary file of word2vec"),
        (bytes(range(7, 256)) * 4, "is no binary file of word2vec"),
        (b"9 9\n" + b"x" * 20_000, "byte 4: word 1 does not end; the file is damaged."),
    ],
)
def test_a_damaged_binary_is_refused_by_its_byte(tmp_path: Path, content: bytes, says: str) -> None:
    path = binary_file(tmp_path, content)
    with pytest.raises(DataError) as caught:
        VectorFile(path)
    assert str(caught.value).startswith(f"word2vec: {path} {says}")


def test_a_binary_number_that_is_not_finite_is_refused_by_its_byte(tmp_path: Path) -> None:
    content = b"1 2\nwin " + np.array([np.nan, 1], "<f4").tobytes()
    with pytest.raises(DataError, match="byte 8: a number is not finite"):
        VectorFile(binary_file(tmp_path, content)).vector("win")


def test_a_pickle_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    vectors = pytest.importorskip("gensim.models").KeyedVectors(3)
    vectors.add_vectors(WORDS, MATRIX)
    path = tmp_path / "own.kv"
    vectors.save(str(path))
    with pytest.raises(DataError) as caught:
        VectorFile(path)
    told = str(caught.value)
    assert told == (
        f"word2vec: {path} is saved by gensim as a pickle, which may run any code when it is "
        'opened, and is refused. Convert it where you trust it: python -c "from gensim.models '
        "import KeyedVectors; m = KeyedVectors.load('own.kv'); getattr(m, 'wv', "
        "m).save_word2vec_format('own.bin', binary=True)\", and give own.bin."
    )
    # The command does what it says.
    code = told.partition('"')[2].partition('"')[0].replace("own.", f"{tmp_path}/own.")
    exec(code, {})  # noqa: S102  # the message's own command
    check(VectorFile(tmp_path / "own.bin"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("own.bin", pickle.dumps({"a": 1}), "is saved by gensim as a pickle"),
        ("own.model", b"win 1 2\n", "is saved by gensim as a pickle"),
        ("own.txt", b"\x1f\x8b\x08\x00", "is compressed; unpack it with gunzip first."),
        ("own.vec", b"PK\x03\x04", "is a zip archive; unpack it first"),
        ("own.bin", b"\x93NUMPY", "holds an array without words"),
        ("own.bin", (793712314).to_bytes(4, "little"), "give it to the encoder fasttext."),
        ("own.vec", b"", "is empty."),
        ("own.txt", bytes(range(9, 256)) * 9, "line 1 is neither `words dimension` nor a word"),
        ("own.bin", b"\x80\xfe" * 90, "is no binary file of word2vec"),
        ("own.csv", b"win 1 2\n", "ends in none of .txt, .vec (text) and .bin (binary)"),
    ],
)
def test_other_kinds_of_file_are_refused_by_what_they_are(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        VectorFile(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"word2vec: .*none\.vec cannot be read \(No such file"):
        open_vectors(tmp_path / "none.vec", "word2vec")
    with pytest.raises(DataError, match=r"word2vec: .* cannot be read"):
        open_vectors(tmp_path, "word2vec")
