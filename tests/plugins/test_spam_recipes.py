"""The recipes for mail servers that the plugin's README gives: they run, and no mail is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

import widemargin
import widemargin_spam
from widemargin.registry import discover

if os.name == "nt":
    pytest.skip("the recipes are for POSIX systems", allow_module_level=True)

README = Path(widemargin_spam.__file__).with_name("README.md").read_text(encoding="utf-8")
WIDEMARGIN = "/opt/widemargin/bin/widemargin"
RUN = "/var/lib/widemargin/spam/20261123-072010-a1d3"
MAILS = {
    "spam": b"From: a@b\nSubject: WIN cash\n\nFree prize, call now\n",
    "wanted": b"From: a@b\nSubject: Lunch\n\nSee you at eight, bring the report\n",
    "doubtful": b"From: a@b\nSubject: Hm\n\nwin report\n",
    "broken": b"Subject: ?\nContent-Type: multipart/mixed; boundary=B\n\n--B\nX\n\n\xff\0 cash\n",
    "empty": b"From: a@b\n\n",
    "blank": b"\n",  # of no bytes at all maildrop makes no mail, with a filter or without
}
SPAM = MAILS["spam"].rstrip(b"\n")
FAILING = {
    "is gone": None,
    "fails": "exit 1",
    "asks to wait": "cat; exit 75",
    "is killed half-way": "head -c 20; kill -9 $$",
}


def recipe(begins: str) -> str:
    """Return the indented lines that come next after some words of the README."""
    lines = README[README.index(f"\n{begins}") :].splitlines()
    block = dropwhile(lambda line: not line.startswith("    "), lines)
    return textwrap.dedent(
        "\n".join(takewhile(lambda line: not line or line.startswith("    "), block))
    )


def script(path: Path, content: str) -> Path:
    path.write_text(content if content.startswith("#!") else f"#!/bin/sh\n{content}\n", "utf-8")
    path.chmod(0o755)
    return path


@dataclass
class Post:
    """A mail server's delivery, by a recipe with paths of its own.

    Parameters
    ----------
    home : Path
        Holds all that is written.
    program, run : Path
        What stand in place of the recipe's.
    """

    home: Path
    program: Path
    run: Path

    needs = ""
    """The program, where the recipe is for one."""
    code_of_failure = 0
    """The exit code where the filter fails; 75 asks the mail server to try again."""

    def write(self, recipe: str) -> str:
        """Return a recipe with paths of its own."""
        assert WIDEMARGIN in recipe
        assert RUN in recipe
        return recipe.replace(WIDEMARGIN, str(self.program)).replace(RUN, str(self.run))

    def deliver(self, mail: bytes) -> int:
        """Hand a mail to the program; return its exit code."""
        raise NotImplementedError

    def delivered(self, folder: str = "") -> list[bytes]:
        """Return what was delivered, in order, without line ends below, to which procmail adds."""
        new = self.home / "Maildir" / folder / "new"
        return sorted(path.read_bytes().rstrip(b"\n") for path in new.glob("*"))

    def call(self, words: list[str], mail: bytes) -> int:
        """Run a program on a mail."""
        return subprocess.run(words, input=mail, check=False, cwd=self.home).returncode


class Procmail(Post):
    """procmail as a mail server calls it."""

    needs = "procmail"

    def deliver(self, mail: bytes) -> int:
        (self.home / "Maildir").mkdir(exist_ok=True)
        rules = self.home / "rules"
        top = f"HOME={self.home}\nDEFAULT=$HOME/Maildir/\nLOGFILE=$HOME/log\n"
        rules.write_text(top + self.write(recipe("procmail, in")), "utf-8")
        return self.call(["procmail", "-f-", str(rules)], mail)


class Maildrop(Post):
    """maildrop with rules of a file."""

    needs = "maildrop"
    folders: tuple[str, ...] = ("Maildir", "Maildir/.Junk")

    def deliver(self, mail: bytes) -> int:
        for folder in self.folders:
            for part in ("cur", "new", "tmp"):
                (self.home / folder / part).mkdir(parents=True, exist_ok=True)
        rules = self.home / "rules"
        top = f'HOME="{self.home}"\nDEFAULT="$HOME/Maildir/"\n'
        rules.write_text(top + self.write(recipe("maildrop, in")), "utf-8")
        rules.chmod(0o600)  # it refuses rules that others may read
        return self.call(["maildrop", str(rules)], mail)


class Sieve(Post):
    """Dovecot's Sieve, which delivers to nobody whose id is 0."""

    needs = "sieve-test"
    seconds = 1200
    """How long the program may take, here where nothing is to fail for a slow machine."""

    def deliver(self, mail: bytes) -> int:
        programs, folder = self.home / "programs", "/etc/dovecot/sieve-filter"
        assert folder in recipe("In Dovecot's configuration")
        programs.mkdir(exist_ok=True)
        written = self.write(recipe("and in that folder"))
        for limit in ("timeout 8 ", "--timeout 5 "):
            assert limit in written
            name, _ = limit.split()
            written = written.replace(limit, f"{name} {self.seconds} ")
        script(programs / "spam", written)
        (self.home / "spam.sieve").write_text(recipe("Sieve in Dovecot"), "utf-8")
        (self.home / "mail").write_bytes(mail)
        own = os.getuid() or 65534
        (self.home / "dovecot.conf").write_text(
            f"ssl = no\nmail_uid = {own}\nmail_gid = {os.getgid() or 65534}\nfirst_valid_uid = 0\n"
            f"mail_home = {self.home}\nmail_location = maildir:~/Maildir\n"
            + recipe("In Dovecot's configuration").replace(folder, str(programs))
            + "\nplugin {\n  sieve_filter_exec_timeout = 2400s\n}\n",
            "utf-8",
        )
        words = ["sieve-test", "-c", str(self.home / "dovecot.conf"), "-e", "-l"]
        words += [f"maildir:{self.home}/Maildir", str(self.home / "spam.sieve")]
        code = self.call([*self.as_somebody(), *words, str(self.home / "mail")], b"")
        # 1 tells of a program that ended before it was handed the mail, which is delivered then.
        return 0 if code == 1 else code

    @staticmethod
    def as_somebody() -> list[str]:
        """Return the words before a command that run it as nobody, with root's access to files."""
        if os.getuid():
            return []
        able = "+dac_read_search,+dac_override"
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return [*user, f"--inh-caps={able}", f"--ambient-caps={able}", "env", "USER=nobody"]


class Postfix(Post):
    """The script that Postfix runs, with a stand-in for its sendmail."""

    code_of_failure = 75
    sendmail = 'cat > "$(mktemp Maildir/new/XXXXXX)"'

    def deliver(self, mail: bytes) -> int:
        (self.home / "Maildir" / "new").mkdir(parents=True, exist_ok=True)
        sendmail = script(self.home / "sendmail", f'echo "$@" > words\n{self.sendmail}')
        written = self.write(recipe("with `-o content_filter=spam:dummy`"))
        assert "/usr/sbin/sendmail" in written
        written = written.replace("/usr/sbin/sendmail", str(sendmail))
        words = ["-f", "a@b", "--", "me@c"]
        return self.call([str(script(self.home / "filter", written)), *words], mail)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fixture = dict(discover().use_case("spam").fixture)
    runs = tmp_path_factory.mktemp("runs")
    return widemargin.run("spam", data=fixture, svm={"C": 1}, runs=runs).path


@pytest.fixture(params=[Procmail, Maildrop, Sieve, Postfix], ids=lambda one: one.__name__)
def post(request: pytest.FixtureRequest, run_folder: Path, tmp_path: Path) -> Post:
    kind: type[Post] = request.param
    if kind.needs and not shutil.which(kind.needs):
        pytest.skip(f"{kind.needs} is not installed")
    if kind is Sieve and subprocess.run([*Sieve.as_somebody(), "true"], check=False).returncode:
        pytest.skip("root may not act as nobody here")
    program = script(tmp_path / "widemargin", f'exec "{sys.executable}" -m widemargin "$@"')
    return kind(tmp_path, program, run_folder)


def test_a_mail_is_delivered_by_sieve_where_the_program_hangs(post: Post) -> None:
    if not isinstance(post, Sieve):
        pytest.skip("the other recipes leave that to the mail server's own limit")
    post.seconds = 1
    script(post.program, "sleep 100")
    assert post.deliver(MAILS["spam"]) == 0
    assert post.delivered() == [SPAM]


def test_mails_come_with_their_fields_to_where_they_belong(post: Post) -> None:
    for mail in MAILS.values():
        assert post.deliver(mail) == 0
    found = {"inbox": post.delivered(), "junk": post.delivered(".Junk")}
    if isinstance(post, Postfix):  # it hands all of them on
        found["junk"] = [mail for mail in found["inbox"] if mail.startswith(b"X-Spam-Flag: YES")]
        found["inbox"] = [mail for mail in found["inbox"] if mail not in found["junk"]]
    assert len(found["inbox"]) + len(found["junk"]) == len(MAILS)
    for folder, flag in (("inbox", b"X-Spam-Flag: NO\n"), ("junk", b"X-Spam-Flag: YES\n")):
        for mail in found[folder]:
            assert mail.startswith(flag)
    for name, mail in MAILS.items():
        folders = {"spam": ["junk"], "doubtful": ["inbox", "junk"]}.get(name, ["inbox"])
        assert any(one.endswith(mail.rstrip(b"\n")) for folder in folders for one in found[folder])


def test_a_mail_is_delivered_as_it_came_where_the_run_is_gone(post: Post) -> None:
    post.run = post.home / "nosuch"
    mails = [MAILS[name] for name in ("spam", "broken", "blank")]
    for mail in mails:
        assert post.deliver(mail) == 0
    assert post.delivered() == sorted(mail.rstrip(b"\n") for mail in mails)
    assert not post.delivered(".Junk")


@pytest.mark.parametrize("program", FAILING.values(), ids=FAILING)
def test_a_mail_is_not_lost_where_the_program(post: Post, program: str | None) -> None:
    if program is None:
        post.program = post.home / "nosuch"
    else:
        script(post.program, program)
    assert post.deliver(MAILS["spam"]) == post.code_of_failure
    # What the mail server is asked to try again is in its queue, and nowhere besides.
    assert post.delivered() == ([] if post.code_of_failure else [SPAM])
    assert not post.delivered(".Junk")


def test_postfix_keeps_a_mail_that_its_sendmail_refuses(run_folder: Path, tmp_path: Path) -> None:
    program = script(tmp_path / "widemargin", "cat")
    post = Postfix(tmp_path, program, run_folder)
    assert post.deliver(MAILS["spam"]) == 0
    assert (tmp_path / "words").read_text() == "-G -i -f a@b -- me@c\n"
    post.sendmail = "exit 1"
    assert post.deliver(MAILS["spam"]) == 75
    assert post.delivered() == [SPAM]


@pytest.mark.skipif(not shutil.which("maildrop"), reason="maildrop is not installed")
def test_maildrop_delivers_spam_to_the_inbox_where_there_is_no_folder_for_it(
    run_folder: Path, tmp_path: Path
) -> None:
    program = script(tmp_path / "widemargin", "echo X-Spam-Flag: YES; cat")
    post = Maildrop(tmp_path, program, run_folder)
    post.folders = ("Maildir",)
    assert post.deliver(MAILS["spam"]) == 0
    assert post.delivered() == [b"X-Spam-Flag: YES\n" + SPAM]
