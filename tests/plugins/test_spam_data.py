"""The spam plugin's loaders: every way to read messages, and every message about bad input."""

import contextlib
import hashlib
import mailbox
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import widemargin_spam
from widemargin import DataError, Dataset
from widemargin.data import near_duplicates
from widemargin.encoders import ItemsError
from widemargin_spam.data import SMS, SMS_ASSET, EmlFolder, Maildir, Mbox, TableFile
from widemargin_spam.folders import label_of
from widemargin_spam.mail import iter_mbox, mail_text, maildir_files
from widemargin_spam.messages import eml_files, file_rows, message_card, message_dataset

HOME = Path("nowhere")
FIXTURE = Path(widemargin_spam.__file__).parent / "fixture.csv"

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return write_file


def pairs(dataset: Dataset) -> list[tuple[str, str]]:
    return list(zip(dataset.X["text"], dataset.y, strict=True))


def read(loader: Any, source: Path) -> list[str]:
    return [text for batch in loader.read_items(source) for text in batch.X["text"]]


# --- the collection -------------------------------------------------------------------------------


def test_the_collection_is_read_from_its_asset(tmp_path: Path) -> None:
    path = SMS_ASSET.path(tmp_path)
    path.parent.mkdir()
    path.write_text(',spam,text\n0,0,"Ok lar, you"\n1,1,WIN £100\n2,0, \n', encoding="utf-8")
    dataset = SMS().load(tmp_path)
    assert pairs(dataset) == [("Ok lar, you", "ham"), ("WIN £100", "spam")]
    assert dataset.positive_class == "spam"
    assert dataset.card.licence == "CC BY 4.0"
    assert dataset.card.notes[0] == "1 of 3 messages was left out: 1 empty (first: sms:4)."


def test_messages_that_a_quotation_mark_swallowed_are_set_free(tmp_path: Path) -> None:
    path = SMS_ASSET.path(tmp_path)
    path.parent.mkdir()
    path.write_text(
        ',spam,text\n0,0,"keep in touch\nham\tOk..\nspam\tWIN\tcash\nnow"\n1,1,WIN £100\n',
        encoding="utf-8",
    )
    dataset = SMS().load(tmp_path)
    assert pairs(dataset) == [
        ("keep in touch", "ham"),
        ("Ok..", "ham"),
        ("WIN\tcash\nnow", "spam"),
        ("WIN £100", "spam"),
    ]
    assert dataset.ids.tolist()[1:3] == ["sms:2.1", "sms:2.2"]
    assert dataset.card.notes[0].startswith("2 messages lay within the texts of others")


def test_an_absent_collection_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`widemargin data fetch sms-spam`"):
        SMS().load(tmp_path)


def test_the_asset_is_pinned_throughout() -> None:
    package, [file] = SMS_ASSET.package, SMS_ASSET.files
    assert package is not None
    for sha256, size in ((package.sha256, package.size), (file.sha256, file.size)):
        assert len(bytes.fromhex(sha256)) == hashlib.sha256().digest_size
        assert size > 0


def test_the_fixture_has_both_classes_and_near_duplicates() -> None:
    dataset = TableFile(path=FIXTURE).load(HOME)
    assert len(dataset) == 80
    assert (dataset.y == "spam").sum() == 30
    assert max(near_duplicates(dataset.X["text"])) + 1 < 80


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spam", "ham"),
    [
        ("spam", "ham"),
        ("1", "0"),
        ("True", "FALSE"),
        ("yes", "no"),
        ("Junk", "not spam"),
        ("1.0", "0.0"),
    ],
)
def test_usual_labels_are_recognised(write: Write, spam: str, ham: str) -> None:
    path = write(
        "mails.csv", f"text,label\nwin,{spam}\nhello, {ham} \n".replace("hello, ", "hello,")
    )
    assert pairs(TableFile(path=path).load(HOME)) == [("win", "spam"), ("hello", "ham")]


def test_columns_are_named_and_the_spam_label_is_said(write: Write) -> None:
    path = write("mails.csv", "body;kind\nwin;bad\nhello;fine\nbuy;promo\n")
    dataset = TableFile(path=path, text="body", label="kind", spam="BAD").load(HOME)
    assert list(dataset.y) == ["spam", "ham", "ham"]
    assert list(dataset.ids) == ["mails.csv:2", "mails.csv:3", "mails.csv:4"]
    assert dataset.card.notes == ("'fine' and 'promo' of column 'kind' counts as ham.",)


def test_a_number_may_be_the_spam_label(write: Write) -> None:
    path = write("mails.csv", "text,label\nwin,2\nhello,1\n")
    section = TableFile.model_validate_json(f'{{"path": "{path.as_posix()}", "spam": 2}}')
    assert list(section.load(HOME).y) == ["spam", "ham"]


def test_empty_texts_and_labels_are_counted(write: Write) -> None:
    path = write("mails.csv", 'text,label\nwin,spam\n"",ham\nhi,ham\n   ,spam\nhello,\n')
    dataset = TableFile(path=path).load(HOME)
    assert len(dataset) == 2
    assert dataset.card.notes == (
        "1 of 5 rows was left out: no label.",
        "2 of 4 messages were left out: 2 empty (first: mails.csv:3).",
    )


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (
            "text,label\na,good\nb,bad\nc,ugly\n",
            {},
            r"'label' does not say what is spam .* its values are 'bad', 'good', 'ugly'\. Name the "
            r"one that means spam, as in --set data\.spam='bad'",
        ),
        (
            "text,label\na,spam\nb,ham\nc,unsure\n",
            {},
            r"its values are 'ham', 'spam', 'unsure'",
        ),
        (
            "text,label\na,x\nb,y\n",
            {"spam": "z"},
            r"data\.spam is 'z', which column 'label' never says; its values are 'x', 'y'",
        ),
        ("text,label\na,ham\nb,ham\n", {}, r"only 'ham' in 2 rows; two classes are needed"),
        ("text,label\n,ham\n", {}, r"no label at all in 0 rows; two classes are needed"),
        (
            "text,label\na,ham\n",
            {"label": "labels"},
            r"there is no column 'labels'\. Did you mean 'label'\? The columns are text, label",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_one_clear_message(
    write: Write, content: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        TableFile(path=write("mails.csv", content), **settings).load(HOME)


def test_a_folder_given_for_a_table_names_the_other_sources(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder; .* data\.source=eml or .*source=maildir"):
        TableFile(path=tmp_path).load(HOME)


def test_the_format_may_be_said_where_the_ending_does_not(write: Write) -> None:
    path = write("mails.dat", "text\tlabel\nwin\tspam\nhi\tham\n")
    assert len(TableFile(path=path, source="tsv").load(HOME)) == 2


def test_items_are_lines_or_the_column_named(write: Write) -> None:
    table = TableFile(path=FIXTURE, text="body")
    assert read(table, write("new.txt", "win, now\n\nhello")) == ["win, now", "", "hello"]
    assert read(table, write("new.csv", "id,body\n1,hi\n2,\n")) == ["hi", ""]
    assert read(SMS(), write("new.jsonl", '{"text": "hi"}\n')) == ["hi"]


def test_items_of_an_absent_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read(SMS(), tmp_path / "new.mbox")


# --- mail -----------------------------------------------------------------------------------------


def test_subject_and_plain_body_are_the_text() -> None:
    raw = b"From: a@b\nSubject: Hello\n there\nX-Spam: yes\n\nSee you.\n"
    assert mail_text(raw) == "Hello there\nSee you."


def test_encoded_words_and_transfer_encodings_are_undone() -> None:
    raw = (
        b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= aus =?utf-8?B?S8O2bG4=?=\n"
        b"Content-Type: text/plain; charset=iso-8859-1\n"
        b"Content-Transfer-Encoding: quoted-printable\n\nsch=F6n =80 5\n"
    )
    assert mail_text(raw) == "Grüße aus Köln\nschön € 5"


def test_raw_bytes_in_a_subject_are_guessed() -> None:
    assert mail_text("Subject: Grüße\n\nx".encode()) == "Grüße\nx"


HTML = (
    b"Subject: Offer\nContent-Type: text/html; charset=utf-8\n\n"
    b"<html><head><title>T</title><style>p {x}</style></head><body><p>Win&nbsp;<b>ca</b>sh</p>"
    b"<script>evil()</script>Click<br>here &amp; now<!-- hidden --></body></html>"
)


def test_html_is_stripped_of_markup_scripts_and_styles() -> None:
    assert mail_text(HTML) == "Offer\nWin cash\nClick\nhere & now"


def multipart(kind: str, *parts: bytes) -> bytes:
    body = b"".join(b"--B\n" + part + b"\n" for part in parts)
    head = f"Subject: S\nContent-Type: multipart/{kind}; boundary=B\n\n".encode()
    return head + body + b"--B--\n"


PLAIN_PART = b"Content-Type: text/plain\n\nplain"
HTML_PART = b"Content-Type: text/html\n\n<p>rich</p>"
ATTACHED = b"Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nsecret"
PICTURE = b"Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo="


def test_plain_text_is_preferred_and_attachments_are_listed() -> None:
    assert mail_text(multipart("alternative", HTML_PART, PLAIN_PART)) == "S\nplain"
    assert mail_text(multipart("alternative", b"Content-Type: text/plain\n\n ", HTML_PART)) == (
        "S\nrich"
    )
    assert mail_text(multipart("mixed", PLAIN_PART, ATTACHED, PICTURE)) == (
        "S\nplain\nattachment: a.txt text/plain\nattachment: unnamed image/png"
    )


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Subject: A\nContent-Type: text/plain; charset=klingon\n\nh\xc3\xa9", "A\nhé"),
        (b"Subject: A\nContent-Type: text/plain; charset=us-ascii\n\nh\xc3\xa9", "A\nhé"),
        (b"Subject: A\nContent-Type: multipart/mixed\n\nlost boundary", "A\nlost boundary"),
        (b"Subject: A\nContent-Type: multipart/mixed; boundary=X\n\nno part", "A\nno part"),
        (b"Subject: =?utf-8?B?a?=\n\nbroken base64", None),
        (b"Subject: =?klingon?Q?a=E9b?=\n\nx", None),
        (b"Subject: A\nContent-Transfer-Encoding: base64\n\n!!!not base64!!!", None),
        (b"Content-Type: ;;;=\nSubject A\n\nx", None),
        (b"Content-Type: text/html\n\n<![oops <b>bold", None),
        (b"no header at all", None),
        (b"\n\n\n", ""),
        (b"", ""),
    ],
)
def test_broken_messages_are_read_leniently(raw: bytes, text: str | None) -> None:
    read_text = mail_text(raw)
    assert text is None or read_text == text


@given(st.binary(max_size=300), st.sampled_from([b"", b"Content-Type: text/html\n", b"Subject: "]))
def test_no_bytes_crash_the_reader(raw: bytes, head: bytes) -> None:
    with contextlib.suppress(DataError):
        assert isinstance(mail_text(head + raw), str)


def test_deeply_nested_parts_are_refused() -> None:
    with pytest.raises(DataError, match="nested too deeply"):
        mail_text(nested(2000))


# --- folders, Maildirs, mbox ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "label"),
    [
        (["spam"], "spam"), (["Junk E-mail"], "spam"), (["spam_2"], "spam"), (["bulk"], "spam"),
        (["easy_ham"], "ham"), (["hard-ham-1"], "ham"), (["INBOX"], "ham"), (["legit"], "ham"),
        (["not-spam"], "ham"), (["nonspam"], ""), (["inbox", "spam"], "spam"),
        (["spam", "2021"], "spam"), (["spam", "ham"], ""), (["news"], ""), ([".Sent"], "own"),
        ([], ""), (["spamassassin"], ""),
    ],
)  # fmt: skip
def test_the_words_of_folder_names_say_spam_or_ham(parts: list[str], label: str) -> None:
    assert label_of(parts) == label


def test_eml_files_are_labelled_by_their_folders(write: Write, tmp_path: Path) -> None:
    write("box/easy_ham/a.eml", "Subject: Hi\n\nLunch?")
    write("box/spam/2021/b.EML", "Subject: Win\n\ncash")
    write("box/spam/notes.txt", "no mail")
    dataset = EmlFolder(path=tmp_path / "box").load(HOME)
    assert pairs(dataset) == [("Hi\nLunch?", "ham"), ("Win\ncash", "spam")]
    assert list(dataset.ids) == ["easy_ham/a.eml", "spam/2021/b.EML"]


def nested(depth: int) -> bytes:
    return b"".join(
        f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n".encode() for i in range(depth)
    )


def test_empty_and_undecodable_mails_are_counted(write: Write, tmp_path: Path) -> None:
    for name in ("ham/a", "spam/b"):
        write(f"{name}.eml", "Subject: x\n\ny")
    write("ham/empty.eml", "")
    write("spam/blank.eml", "From: a@b\n\n   ")
    (tmp_path / "spam" / "binary.eml").write_bytes(b"From: a@b\n\n\0\1\2")
    (tmp_path / "spam" / "nested.eml").write_bytes(nested(2000))
    dataset = EmlFolder(path=tmp_path).load(HOME)
    assert len(dataset) == 2
    assert dataset.card.notes == (
        "4 of 6 messages were left out: 3 empty (first: ham/empty.eml), "
        "1 undecodable (first: spam/nested.eml).",
    )


def test_folders_that_do_not_tell_are_named_and_may_be_ignored(
    write: Write, tmp_path: Path
) -> None:
    for name in ("ham/a", "spam/b", "news/c"):
        write(f"{name}.eml", "Subject: x\n\ny")
    message = (
        r"these folders say neither spam nor ham: 'news'\. Give each a name with one of the words "
        r"spam, junk, bulk, or ham, legit, .*--set 'data\.ignore=\[news\]'"
    )
    with pytest.raises(DataError, match=message):
        EmlFolder(path=tmp_path).load(HOME)
    dataset = EmlFolder(path=tmp_path, ignore=("news",)).load(HOME)
    assert dataset.card.notes == ("Folders left out: news (messages: 1).",)


def test_mails_outside_any_folder_have_no_label(write: Write, tmp_path: Path) -> None:
    write("a.eml", "Subject: x\n\ny")
    with pytest.raises(DataError, match=r"neither spam nor ham: '\.'"):
        EmlFolder(path=tmp_path).load(HOME)


def test_one_class_of_mail_is_not_enough(write: Write, tmp_path: Path) -> None:
    write("ham/a.eml", "Subject: x\n\ny")
    with pytest.raises(DataError, match="only 'ham' in 1 rows; two classes are needed"):
        EmlFolder(path=tmp_path).load(HOME)


def test_maildirs_are_labelled_by_their_folders(tmp_path: Path) -> None:
    inbox = mailbox.Maildir(tmp_path / "mail")
    inbox.add("Subject: Hi\n\nLunch?")
    inbox.add_folder("Junk").add("Subject: Win\n\ncash")
    inbox.add_folder("Sent").add("Subject: Re\n\nmine")
    dataset = Maildir(path=tmp_path / "mail").load(HOME)
    assert sorted(pairs(dataset)) == [("Hi\nLunch?", "ham"), ("Win\ncash", "spam")]
    assert dataset.card.notes == ("Folders left out: .Sent (messages: 1).",)


def test_flags_of_a_maildir_do_not_change_ids(write: Write, tmp_path: Path) -> None:
    write("ham/cur/17.a:2,RS", "Subject: Hi\n\nx")
    write("spam/new/18.b", "Subject: Win\n\ny")
    dataset = Maildir(path=tmp_path).load(HOME)
    assert list(dataset.ids) == ["ham/cur/17.a", "spam/new/18.b"]


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (EmlFolder, r"there is no \.eml file in it\. For a Maildir say"),
        (Maildir, r"there is no message in it; a Maildir keeps them in folders called cur and new"),
    ],
)
def test_a_folder_without_messages_is_refused(tmp_path: Path, loader: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        loader(path=tmp_path).load(HOME)
    with pytest.raises(DataError, match="does not exist; a folder of messages is needed"):
        loader(path=tmp_path / "x").load(HOME)


def test_two_mbox_files_are_read(tmp_path: Path) -> None:
    for name, subject in (("good", "Hi"), ("bad", "Win")):
        box = mailbox.mbox(tmp_path / name)
        box.add(f"Subject: {subject}\n\nFrom me\n\nFrom you\n")
        box.add(f"Subject: {subject} again\n\nsecond\n")
        box.close()
    dataset = Mbox(spam=tmp_path / "bad", ham=tmp_path / "good").load(HOME)
    assert pairs(dataset)[::2] == [
        ("Hi\nFrom me\n\nFrom you", "ham"), ("Win\nFrom me\n\nFrom you", "spam")
    ]  # fmt: skip
    assert list(dataset.ids) == ["ham/good:1", "ham/good:2", "spam/bad:1", "spam/bad:2"]


def test_what_is_no_mbox_is_refused(write: Write, tmp_path: Path) -> None:
    path = write("a.mbox", "Subject: x\n\ny")
    with pytest.raises(DataError, match=r"is no mbox file; the first line must begin with"):
        list(iter_mbox(path))
    with pytest.raises(DataError, match="does not exist; an mbox file is needed here"):
        Mbox(spam=tmp_path / "x", ham=path).load(HOME)
    (tmp_path / "box" / "cur").mkdir(parents=True)
    with pytest.raises(DataError, match=r"is a Maildir; read it with --set data\.source=maildir"):
        Mbox(spam=tmp_path / "box", ham=path).load(HOME)


def test_items_may_be_mail_of_any_kind(write: Write, tmp_path: Path) -> None:
    eml = write("box/a.eml", "Subject: Hi\n\nx")
    write("box/b.eml", "")
    mbox = write("a.mbox", "From a Mon Jan  1 00:00:00 2024\nSubject: Hi\n\nx\n\nFrom b\n\ny\n")
    bare = write("piped", "Subject: Hi\n\nx")
    for loader in (SMS(), EmlFolder(path=tmp_path), Maildir(path=tmp_path)):
        assert read(loader, eml) == ["Hi\nx"]
        assert read(loader, tmp_path / "box") == ["Hi\nx", ""]
        assert read(loader, mbox) == ["Hi\nx", "y"]
    assert read(EmlFolder(path=tmp_path), bare) == ["Hi\nx"]
    assert read(SMS(), bare) == ["Subject: Hi", "", "x"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"neither an \.eml file nor a Maildir"):
        read(SMS(), tmp_path / "none")


def test_mails_that_move_or_go_while_they_are_read(write: Write, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(f"ham/new/{name}", f"Subject: {name}\n\nhello")
    write("spam/cur/d:2,", "Subject: d\n\ncash")
    files = [(file, file.parent.parent.name) for file in maildir_files(tmp_path)]
    assert len(files) == 4
    (tmp_path / "ham" / "cur").mkdir()
    rows = file_rows(tmp_path, files, ("subject",))
    assert next(rows) == ("ham/new/a", "ham", "a\nhello")
    (tmp_path / "ham/new/b").rename(tmp_path / "ham/cur/b:2,S")
    assert next(rows) == ("ham/new/b", "ham", "b\nhello")
    # These two move once the folders have been listed: one from new, one within cur.
    (tmp_path / "ham/new/c").rename(tmp_path / "ham/cur/c:2,")
    (tmp_path / "spam/cur/d:2,").rename(tmp_path / "spam/cur/d:2,S")
    assert [text for _, _, text in rows] == ["c\nhello", "d\ncash"]


def test_mails_that_cannot_be_read_are_named_and_the_others_are_read(
    write: Write, tmp_path: Path
) -> None:
    for name in ("ham/new/a", "ham/new/b", "spam/new/c"):
        write(name, "Subject: x\n\ny")
    files = [(file, file.parent.parent.name) for file in maildir_files(tmp_path)]
    (tmp_path / "ham/new/b").unlink()
    rows = list(file_rows(tmp_path, files, ("subject",)))
    dataset = message_dataset(message_card("mails", "here"), rows)
    assert list(dataset.ids) == ["ham/new/a", "spam/new/c"]
    assert dataset.card.notes == (
        "1 of 3 messages was left out: 1 that cannot be read (first: ham/new/b).",
    )


def test_items_that_cannot_be_read_are_refused_each_by_itself(write: Write, tmp_path: Path) -> None:
    for number in range(1002):  # one more batch than is listed at once
        write(f"new/{number:04}", "Subject: x\n\ny")
    loader = Maildir(path=tmp_path)
    batches = loader.read_items(tmp_path)
    first = next(batches)
    (tmp_path / "new/1001").unlink()
    second = next(batches)
    assert loader.checked(first.X) is first.X
    with pytest.raises(ItemsError) as caught:
        loader.checked(second.X)
    path = tmp_path / "new" / "1001"
    assert caught.value.problems == {1: f"{path}: cannot be read (No such file or directory)."}


def test_a_message_that_is_in_new_and_in_cur_is_read_once(write: Write, tmp_path: Path) -> None:
    for name in ("new/a", "cur/a:2,S", "new/b"):
        write(name, "Subject: x\n\ny")
    assert maildir_files(tmp_path) == [tmp_path / "cur/a:2,S", tmp_path / "new/b"]


def test_a_folder_that_goes_while_mails_are_looked_for_is_skipped(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("box/cur/a", "box/gone/new/b", "box/c.eml", "box/gone/d.eml"):
        write(name, "Subject: x\n\ny")
    scandir = os.scandir

    def vanishing(path: Any) -> Any:
        if Path(path).name == "gone":
            Path(path).rename(tmp_path / "away")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert maildir_files(tmp_path / "box") == [tmp_path / "box/cur/a"]
    (tmp_path / "away").rename(tmp_path / "box" / "gone")
    assert eml_files(tmp_path / "box") == [tmp_path / "box/c.eml"]


def test_an_mbox_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.mbox: cannot be read \(No such file"):
        list(iter_mbox(tmp_path / "a.mbox"))


@pytest.mark.parametrize("loader", [SMS, TableFile, EmlFolder, Maildir, Mbox])
def test_every_setting_has_a_line_of_help(loader: Any) -> None:
    for name, field in loader.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description


def test_of_three_labels_the_one_that_sounds_like_spam_is_proposed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,ham\nb,meh\nc,spam\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"--set data\.spam='spam'"):
        TableFile(path=path).load(tmp_path)
