"""Mail as it comes: charsets, headers, attachments, markup, copies, and the public corpus."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import widemargin
from widemargin import DataError
from widemargin_spam.charsets import decode_part, decode_words
from widemargin_spam.copies import similar_groups
from widemargin_spam.data import SMS, EmlFolder
from widemargin_spam.mail import mail_text
from widemargin_spam.markup import strip_html
from widemargin_spam.spamassassin import SPAMASSASSIN_ASSET, SpamAssassin

HOME = Path("nowhere")

# --- charsets -------------------------------------------------------------------------------------

TEXTS = {
    "gb2312": "免费领取大奖请立即致电。",
    "big5": "免費領取大獎請立即致電。",
    "iso-2022-jp": "無料で賞品を受け取れます。",
    "shift_jis": "無料で賞品を受け取れます。",
    "euc-kr": "무료 경품을 받으세요.",
    "ks_c_5601-1987": "무료 경품을 받으세요.",
    "koi8-r": "Получите бесплатный приз прямо сейчас.",
    "windows-1256": "احصل على جائزة مجانية الآن.",
    "windows-874": "รับรางวัลฟรีวันนี้",
    "utf-8": "Größe, 大奖, приз, جائزة",
}
CODECS = {"windows-874": "cp874", "ks_c_5601-1987": "euc_kr"}


@pytest.mark.parametrize(("charset", "text"), TEXTS.items())
@pytest.mark.parametrize("transfer", ["8bit", "base64", "quoted-printable"])
def test_languages_of_the_world_are_read(charset: str, text: str, transfer: str) -> None:
    import quopri

    raw = text.encode(CODECS.get(charset, charset))
    sent = {
        "8bit": raw,
        "base64": base64.encodebytes(raw),
        "quoted-printable": quopri.encodestring(raw),
    }[transfer]
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {transfer}\n\n"
    assert mail_text(head.encode() + sent) == text


def test_subjects_of_several_encoded_words_are_one_line() -> None:
    assert decode_words("=?gb2312?B?w+K30Q==?=\r\n =?big5?B?pGq8+g==?= now") == "免费大獎 now"


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        (b"caf\xe9", "iso-8859-1", "café"),
        (b"\x80 5", "iso-8859-1", "€ 5"),
        ("приз".encode(), "us-ascii", "приз"),
        ("приз".encode(), "klingon", "приз"),
        ("приз".encode(), "hex", "приз"),
        (b"a\0b", None, "ab"),
        (b"a\0b", "utf-8", "ab"),
        (("免费" * 30).encode("gb18030")[:-1], "gbk", "免费" * 29 + "免\ufffd"),
    ],
)
def test_what_a_mail_says_of_its_charset_is_believed_as_far_as_it_fits(
    raw: bytes, charset: str | None, text: str
) -> None:
    assert decode_part(raw, charset) == text


@given(st.binary(max_size=200), st.sampled_from([None, "utf-7", "idna", "x", "utf-16", "hex"]))
def test_no_bytes_are_refused(raw: bytes, charset: str | None) -> None:
    assert "\0" not in decode_part(raw, charset)


# --- headers and attachments ----------------------------------------------------------------------

MAIL = (
    b"Received: from a\n by b\nFrom: =?utf-8?q?J=C3=B6?= <jo@b>\nSubject: Hi\n"
    b"Content-Type: multipart/mixed; boundary=B\n\n"
    b"--B\nContent-Type: text/plain\n\nSee below.\n"
    b"--B\nContent-Type: application/pdf; name=\"=?utf-8?q?Pr=C3=A4mie?=.pdf\"\n"
    b"Content-Transfer-Encoding: base64\n\nSGVsbG8=\n"
    b"--B\nContent-Type: text/plain\nContent-Disposition: attachment\n\nnot read\n--B--\n"
)  # fmt: skip
LISTED = "See below.\nattachment: Prämie.pdf application/pdf\nattachment: unnamed text/plain"


def test_attachments_are_listed_and_not_read() -> None:
    assert mail_text(MAIL, headers=()) == LISTED


def test_headers_are_read_where_they_are_named() -> None:
    assert mail_text(MAIL) == f"Hi\n{LISTED}"
    assert mail_text(MAIL, headers=["FROM"]) == f"From: Jö <jo@b>\n{LISTED}"
    whole = mail_text(MAIL, headers="all")
    assert whole.startswith("Received: from a by b\nFrom: Jö <jo@b>\nHi\nContent-Type: ")


INNER = b"From: x@y\nSubject: Win\nContent-Type: text/html\n\n<p>free</p> cash\n"


def carrying(inner: bytes, *fields: bytes) -> bytes:
    """Return a mail with another mail in it."""
    return (
        b"Subject: Fwd\nContent-Type: multipart/mixed; boundary=B\n\n"
        b"--B\nContent-Type: text/plain\n\nLook at this.\n"
        b"--B\n%b\n\n%b\n--B--\n" % (b"\n".join([b"Content-Type: message/rfc822", *fields]), inner)
    )


ATTACHED = b"Content-Disposition: attachment; filename=offer.eml"
IN_BASE64 = b"Content-Transfer-Encoding: BASE64"


@pytest.mark.parametrize(
    "raw",
    [
        carrying(INNER),
        carrying(INNER, ATTACHED),
        carrying(base64.encodebytes(INNER), IN_BASE64, ATTACHED),
        carrying(INNER, IN_BASE64),  # it is said to be, and is not
        carrying(INNER, b"Content-Disposition: attachment"),
    ],
    ids=["inline", "attached", "in base64", "not in base64", "without a name"],
)
def test_a_mail_in_a_mail_is_read_as_the_outer_one_is(raw: bytes) -> None:
    assert mail_text(raw) == "Fwd\nLook at this.\nWin\nfree\ncash"
    assert mail_text(raw, headers=()) == "Look at this.\nfree\ncash"
    assert mail_text(raw, headers=["from"]) == "Look at this.\nFrom: x@y\nfree\ncash"


def test_a_mail_that_is_nothing_but_another_mail_is_read() -> None:
    head = b"Subject: Fwd\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\n"
    assert mail_text(head + carrying(INNER)) == "Fwd\nFwd\nLook at this.\nWin\nfree\ncash"
    assert mail_text(head) == "Fwd"


def test_parts_that_are_called_an_attachment_as_a_whole_are_read() -> None:
    raw = carrying(INNER).replace(b"boundary=B", b"boundary=B\nContent-Disposition: attachment")
    assert mail_text(raw) == "Fwd\nLook at this.\nWin\nfree\ncash"


def test_mails_within_mails_without_end_are_refused() -> None:
    deep = b"Content-Type: message/rfc822\n\n" * 2000
    with pytest.raises(DataError, match="nested too deeply"):
        mail_text(deep + INNER)


def test_every_loader_of_mail_takes_headers(tmp_path: Path) -> None:
    (tmp_path / "spam").mkdir()
    (tmp_path / "ham").mkdir()
    for name in ("spam/a.eml", "ham/b.eml"):
        (tmp_path / name).write_bytes(MAIL)
    section = EmlFolder.model_validate_json(
        f'{{"path": "{tmp_path.as_posix()}", "headers": ["from"]}}'
    )
    loaded = section.load(HOME)
    assert next(iter(loaded.X["text"])) == f"From: Jö <jo@b>\n{LISTED}"
    # The items to predict, and those of a mail server, are read as these were.
    [items] = section.read_items(tmp_path / "spam" / "a.eml")
    assert list(items.X["text"]) == list(section.read_message(MAIL).X["text"])
    assert list(items.X["text"]) == [f"From: Jö <jo@b>\n{LISTED}"]
    assert list(SMS().read_message(MAIL).X["text"]) == [f"Hi\n{LISTED}"]


# --- markup ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("fr<!-- x -->ee ca<b>sh</b>", "free cash"),
        ("<p>one<p>two", "one\ntwo"),
        ("<a title=\"a > b\" href='x>y'>go</a>", "go"),
        ("a < b &amp; c &gt; d", "a < b & c > d"),
        ("<script>if (a<b) { '</p>' }</script>seen", "seen"),
        ("<style>never closed", ""),
        ("<head><title>t</title><body>seen", "seen"),
        ("seen<!-- never closed > too", "seen too"),
        ("seen<a href='never closed", "seen"),
        ("x</ p>y", "xy"),
        ("<?php echo ?>seen", "seen"),
        ("", ""),
    ],
)
def test_the_text_of_a_page_is_what_people_see(html: str, text: str) -> None:
    assert " ".join(strip_html(html).split()) == " ".join(text.split())


@given(st.lists(st.sampled_from(["<", ">", "<!--", "-->", "<a b='", '"', "=", "</", "x", "&"])))
def test_no_markup_crashes_and_no_tag_is_left(pieces: list[str]) -> None:
    assert "\n\n" not in strip_html("".join(pieces))


# --- copies ---------------------------------------------------------------------------------------

OFFER = "we have the best prices in town for all the ink and toner that your office will ever need"


def test_mails_that_share_half_of_their_wording_are_one_group() -> None:
    texts = [f"Dear Bob, {OFFER}", "see you at eight", f"DEAR ANN! {OFFER} (ref 77)", "lunch?"]
    assert similar_groups(texts, 0.5).tolist() == [0, 1, 0, 2]
    assert similar_groups(texts, 1.0).tolist() == [0, 1, 2, 3]


def test_texts_without_spaces_are_compared_by_their_characters() -> None:
    base = "恭喜您获得本公司周年庆典大奖请立即致电客服领取奖金"
    assert similar_groups([f"张三{base}", "明天一起吃饭吗", f"李四{base}"], 0.5).tolist() == [
        0,
        1,
        0,
    ]


def test_texts_that_say_nothing_are_no_copies() -> None:
    assert similar_groups(["", "...", "", "12"], 0.5).tolist() == [0, 1, 2, 3]
    assert similar_groups([], 0.5).tolist() == []


# --- the corpus -----------------------------------------------------------------------------------

CORPUS = {
    "easy-ham-1/00001.a.txt": b"From: list@b\nSubject: [ILUG] Hi\n\nLunch at noon?\n",
    "hard-ham-1/00001.b.txt": b"From: news@b\n\n<html>kept as plain text",
    "spam-1/00001.c.txt": b"From: x@y\n\nDear Bob, " + OFFER.encode(),
    "spam-2/00002.d.txt": b"From: z@y\n\nDear Ann, " + OFFER.encode(),
    "spam-2/00003.e.txt": b"From: q@y\n\nlunch at noon!",
    "spam-2/00004.f.txt": b"From: q@y\n\n \n",
    "spam-2/00004.f.json": b"{}",
    "file_list.txt": b"x",
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = SPAMASSASSIN_ASSET.path(tmp_path)
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name in reversed(CORPUS):
            entry = tarfile.TarInfo(f"package/data/{name}")
            entry.size = len(CORPUS[name])
            archive.addfile(entry, io.BytesIO(CORPUS[name]))
    return tmp_path


def test_the_corpus_is_read_by_its_bodies(corpus: Path) -> None:
    dataset = SpamAssassin().load(corpus)
    assert list(dataset.ids) == [name for name in CORPUS if name.endswith("txt")][:5]
    assert list(dataset.y) == ["ham", "ham", "spam", "spam", "spam"]
    assert next(iter(dataset.X["text"])) == "Lunch at noon?"
    assert dataset.card.notes == (
        "1 of 6 messages was left out: 1 empty (first: spam-2/00004.f.txt).",
    )
    assert dataset.groups is not None
    # Copies of a mail, and an answer in the very words.
    assert list(dataset.groups) == [0, 1, 2, 2, 0]


def test_a_careless_reader_takes_all_headers_of_the_same_items(corpus: Path) -> None:
    read = SpamAssassin().load_carelessly(corpus)
    assert read is not None
    title, dataset = read
    assert title == "mails read with all of their headers"
    # "lunch at noon!" nearly repeats the first, and is no item of the run either.
    assert list(dataset.ids) == [name for name in CORPUS if name.endswith("txt")][:4]
    assert next(iter(dataset.X["text"])) == "From: list@b\n[ILUG] Hi\nLunch at noon?"
    assert SpamAssassin(headers="all").load_carelessly(corpus) is None


def test_an_absent_or_damaged_corpus_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`widemargin data fetch spamassassin`"):
        SpamAssassin().load(tmp_path)
    path = SPAMASSASSIN_ASSET.path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="the archive cannot be read"):
        SpamAssassin().load(tmp_path)


def test_the_corpus_is_pinned_as_the_archive_that_carries_it() -> None:
    [file], package = SPAMASSASSIN_ASSET.files, SPAMASSASSIN_ASSET.package
    assert package is not None
    assert (file.sha256, file.size) == (package.sha256, package.size)


# --- many languages, from end to end --------------------------------------------------------------

SPAM = ["免费领取大奖请立即致电客服", "恭喜中奖奖金等待领取", "無料で賞品を獲得しよう今すぐ",
        "賞金を今すぐ受け取ってください", "бесплатный приз позвоните сейчас",
        "вы выиграли денежный приз", "جائزة مجانية اتصل الآن", "لقد ربحت جائزة نقدية"]  # fmt: skip
HAM = ["明天下午我们开会讨论项目", "会议改到下午三点项目组", "明日の会議は三時からです",
       "会議の資料を送ります", "встреча завтра в три часа", "пришлю документы к встрече",
       "اجتماع الغد في الساعة الثالثة", "سأرسل الوثائق قبل الاجتماع"]  # fmt: skip


def test_mails_of_many_languages_are_told_apart_by_their_characters(tmp_path: Path) -> None:
    for label, texts in (("spam", SPAM), ("ham", HAM)):
        folder = tmp_path / "mails" / label
        folder.mkdir(parents=True)
        for number, text in enumerate(text + extra for extra in ("。", "。 ok") for text in texts):
            head = "Content-Type: text/plain; charset=utf-8\n\n"
            (folder / f"{number}.eml").write_text(f"{head}{number} {text}", encoding="utf-8")
    made = widemargin.run(
        "spam",
        data={"source": "eml", "path": str(tmp_path / "mails"), "similar": 1.0},
        evaluation={"outer": 3, "inner": 3, "map": "none"},
        runs=tmp_path / "runs",
    )
    new = ["恭喜您免费领取奖金", "賞品を無料で", "приз бесплатно", "جائزة نقدية مجانية",
           "下午三点开会", "会議の資料", "встреча в три", "اجتماع الساعة الثالثة"]  # fmt: skip
    assert list(made.predict(new)["label"]) == ["spam"] * 4 + ["ham"] * 4
