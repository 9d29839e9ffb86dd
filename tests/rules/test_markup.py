from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.rules import markup, template


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "raw",
    [
        *["Test", "Sale", "Good", "Welcome1"],  # Base64 by accident
        *["Hi there", "50% off", "100%25", "a+b", "Hello%20World", "1 < 2 & 3 > 2", "I <3 you", "Tom &amp; Ann", ""],
        "Hi <First Name>, see <Order No> and {{link}}",
        _packed("<p>Hi</p>")[:-3] + "%xxxxx",  # masked, as the vendor prints it
        base64.b64encode(b"\xff\xfe\x00").decode(),
        _packed("a\x00b"),
        "SGk",  # no padding
        "SGl=",  # bits that decoding would drop
    ],
)
def test_what_is_not_encoded_is_used_as_sent(raw: str) -> None:
    assert markup.decode(raw) == raw


@pytest.mark.parametrize(
    "text", ["Hi <First Name>!", "Grüße ş", "👩\u200d🚀 new \U0001fae9", "two\nlines", "~~~???>>>"]
)
def test_base64_with_and_without_percent(text: str) -> None:
    assert markup.decode(_packed(text)) == text
    assert markup.decode(quote(_packed(text), safe="")) == text


def test_the_vendors_template_sample_shape() -> None:
    raw = quote(_packed("<p>Hello <First Name>, it&#39;s &lt;ready&gt;.</p>"), safe="")
    assert "%3D" in raw
    assert markup.decode(raw) == "Hello <First Name>, it's <ready>."


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("<p>One</p>\n  <p>Two\n  too</p>\n", "One\nTwo too"),
        ("a<br>b<br/>c<BR />d", "a\nb\nc\nd"),
        ("a<br><br>b", "a\n\nb"),
        ("Hello<p>World", "Hello\nWorld"),
        ("x <b>y</b> &amp; <a href='https://example.com/?a=1'>z</a>", "x y & z"),
        ("<b>two</b>\nlines", "two\nlines"),
        ("<ul><li>1</li><li>2</li></ul>", "1\n2"),
        ("<p>&nbsp;Your code is <Code>&nbsp;</p>", "Your code is <Code>"),
        ("<code>x</code> <title>", "x <title>"),
        ("<p>&lt;First Name&gt;</p>", "<First Name>"),
        ("<p>{{first name|default:&quot;friend&quot;}}</p>", '{{first name|default:"friend"}}'),
    ],
)
def test_html_becomes_words(raw: str, said: str) -> None:
    assert markup.decode(raw) == said
    assert template.decode(raw) == said


@settings(deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_any_text_is_read(raw: str) -> None:
    assert isinstance(markup.decode(raw), str)


@settings(deadline=None)
@given(st.text(st.sampled_from("<>/pbr &;%=+AZaz09\n{}"), max_size=60))
def test_text_that_looks_like_markup_is_read(raw: str) -> None:
    assert isinstance(markup.decode(raw), str)


def test_reading_is_quick_for_whatever_is_sent() -> None:
    for raw in ("<p " * 60_000, "<" * 200_000, "%41" * 60_000, "&amp;<b>" * 20_000, "<p>" + " " * 190_000 + "x"):
        markup.decode(raw)
