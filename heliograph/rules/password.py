"""What a password has to be, and how long to wait after wrong ones.

After NIST SP 800-63B: length instead of a mixture of signs, no change for the sake of changing, no password that is
commonly chosen or made of what is known of the user. 12 characters lie between the 8 that it wants beside a second
factor and the 15 that it wants without one; whoever guesses online is held back by the delay.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 12
LONGEST = 256  # a bound for the work of hashing, far beyond any password
SAME_WORD = 3  # of what is known of somebody, words shorter than this are in any text
REST = 6  # characters that have to be left when those words are taken out

# Those of this length or more that lists of leaked passwords have on top, and what people make of a rule for length.
COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 1234567891234 123123123123 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv
    987654321098 abc123456789 abcd12345678 abcdefghijkl abcdefghijklm administrator administrator1 adminadminadmin
    asdfghjkl123 asdfghjkl1234 changeme1234 changemechangeme chocolate123 correcthorsebatterystaple football1234
    heliograph12 heliograph123 heliograph1234 heliographheliograph iloveyou1234 iloveyouiloveyou letmein12345
    letmeinletmein liverpool123 manchester12 mynameisjohn password1234 password12345 password123456 passwordpassword
    password2024 password2025 password2026 passwort1234 princess1234 q1w2e3r4t5y6 qazwsxedc123 qazwsxedcrfv
    qwerty123456 qwerty1234567 qwertyqwerty qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdfghjkl
    secretsecret summer202424 sunshine1234 superman1234 trustno1trustno1 unbelievable welcome12345 welcomewelcome
    whateverwhatever zaq12wsxcde3 zxcvbnm12345 zxcvbnmzxcvbnm
    """.split()
)

FREE = {"user": 4, "from": 19}
"""Failures in a row that cost nothing: of one user, and from one address, behind which may be a whole office."""

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
_DOUBLINGS = 8  # 5 s doubled this often is more than the longest


def normal(text: str) -> str:
    """A password as it is hashed: the same on every keyboard (NFKC, as SP 800-63B asks)."""
    return unicodedata.normalize("NFKC", text)


def check(text: str, *, known: Iterable[str] = (), field: str = "password") -> str:
    """The password as it is hashed. ``known``: what everybody knows of the user: name, address.

    Raises :class:`Invalid`, which never shows the password.
    """
    found = normal(text)
    if not SHORTEST <= len(found) <= LONGEST:
        raise Invalid(
            f"The password has {len(found)} characters, and {SHORTEST} to {LONGEST} are expected; a few words will do",
            field=field,
        )
    plain = found.casefold()
    if plain in COMMON or _repeats(plain) or _counts(plain):
        raise Invalid("That password is among the first that anybody would try; choose another", field=field)
    words = {word for each in known for word in _words(each) if len(word) >= SAME_WORD} | {"heliograph"}
    rest = plain
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < REST:
        raise Invalid("That password is little more than a name or an e-mail address; choose another", field=field)
    return found


def delay(kind: str, failures: int) -> timedelta:
    """How long nothing is tried after so many failures in a row; ``kind``: of a ``user`` or ``from`` an address."""
    beyond = failures - FREE[kind]
    if beyond <= 0:
        return timedelta(0)
    return min(FIRST_DELAY * 2 ** min(beyond - 1, _DOUBLINGS), LONGEST_DELAY)


def _words(text: str) -> list[str]:
    return "".join(one if one.isalnum() else " " for one in text.casefold()).split()


def _repeats(text: str) -> bool:
    """Whether it is one short piece over and over: aaaaaaaaaaaa, 123123123123."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, 5))


def _counts(text: str) -> bool:
    """Whether each character follows the one before: abcdefghijkl, 210987654321."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps <= {1} or steps <= {-1}
