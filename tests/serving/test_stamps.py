"""Stamps: fields at the top of a mail, and no other byte of it changed."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import compat32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from widemargin.serving.stamps import stamp

FIELDS = {"X-Spam-Flag": "YES", "X-Spam-Score": "1.25"}
LINES = b"X-Spam-Flag: YES\nX-Spam-Score: 1.25\n"

# Bytes that mean something in mail come up more often than others.
TRICKY = st.lists(
    st.sampled_from(
        [
            *(
                b"\n",
                b"\r\n",
                b"\r",
                b"\0",
                b" ",
                b"\t",
                b":",
                b"From ",
                b">From ",
                b"\xff",
                b"\n\n",
            ),
            *(b"Subject: Hi", b"x-SPAM-flag: no", b"X-Spam", b"X-Spam-: ", b"a@b\n", b"Received:"),
        ]
    )
    | st.binary(max_size=3),
    max_size=12,
).map(b"".join)

NAMES = st.sampled_from(["Subject", "From", "Received", "X-Spam-Flag", "x-spam-level", "X-Spams"])
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


def stamped(raw: bytes) -> bytes:
    return stamp(raw, FIELDS, "X-Spam-")


def removed(raw: bytes) -> bytes:
    """Take the fields out again, and the line that ends a header which was not there."""
    end = b"\r\n" if raw.split(b"\n")[0].endswith(b"\r") and b"\n" in raw else b"\n"
    before, found, after = stamped(raw).partition(LINES.replace(b"\n", end))
    assert found
    return before + after if before + after == raw else before + after.removeprefix(end)


@given(TRICKY.filter(lambda raw: b"x-spam-" not in raw.lower()) | st.binary(max_size=40))
@example(b"")
@example(b" folded\nSubject: late\n\nbody")
@example(b"From a Mon Jan  1 00:00:00 2024\n\tno header\n")
@example(b"From here without a line's end")
@example(b"Subject: cut off")
@example(b"\r\nbody\n")
def test_whatever_the_bytes_all_of_them_stay_in_their_order(raw: bytes) -> None:
    assert removed(raw) == raw


@given(TRICKY)
def test_stamping_twice_is_stamping_once(raw: bytes) -> None:
    assert stamped(stamped(raw)) == stamped(raw)


@given(TRICKY, st.binary(max_size=60))
def test_what_follows_the_header_is_never_touched(head: bytes, body: bytes) -> None:
    assert stamped(head + b"\n\n" + body).endswith(b"\n" + body)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.binary(), st.sampled_from(["\n", "\r\n"]))
def test_a_reader_of_mail_finds_all_other_fields_and_the_body_as_they_were(
    fields: list[tuple[str, str]], body: bytes, end: str
) -> None:
    head = "".join(f"{name}: {value}{end} folded{end}" for name, value in fields)
    raw = head.encode() + end.encode() + body
    before = message_from_bytes(raw, policy=compat32)
    after = message_from_bytes(stamped(raw), policy=compat32)
    others = [field for field in before.raw_items() if not field[0].lower().startswith("x-spam-")]
    assert list(after.raw_items()) == [*FIELDS.items(), *others]
    assert after.get_payload() == before.get_payload()


@pytest.mark.parametrize(
    ("raw", "out"),
    [
        (b"Subject: Hi\n\nbody", LINES + b"Subject: Hi\n\nbody"),
        (
            b"X-SPAM-Flag: NO\nSubject: Hi\nx-spam-status: No,\n\tscore=-9\nTo: b\n\nX-Spam-A: b\n",
            LINES + b"Subject: Hi\nTo: b\n\nX-Spam-A: b\n",
        ),
        (b"From a@b Mon\nX-Spam-Level: *\nTo: b\n\n", b"From a@b Mon\n" + LINES + b"To: b\n\n"),
        (b"To: b\r\n\r\n\0\r", LINES.replace(b"\n", b"\r\n") + b"To: b\r\n\r\n\0\r"),
        (b"", LINES + b"\n"),
        (b"\n\n", LINES + b"\n\n"),
        (b"just words", LINES + b"\njust words"),
        (b"To: b\nno field\nX-Spam-Flag: NO\n\n", LINES + b"To: b\nno field\nX-Spam-Flag: NO\n\n"),
        (b"X-Spam-Flag: NO", LINES),
    ],
)
def test_fields_stand_on_top_in_place_of_forged_ones(raw: bytes, out: bytes) -> None:
    assert stamped(raw) == out
