"""Third-party text inside a card shows itself and does nothing else."""

import pytest

from accord.reminder.text import markdown, moment_words, one_line, shorten
from unit.reminder.builders import AT

HOSTILE = [
    "[点我](https://evil.example/x)",
    "![x](https://evil.example/x.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "https://evil.example/a",
    "www.evil.example",
    "WWW.evil.example",
    "mail a@evil.example",
    "# 标题\n- 列表\n1. 项",
    "a | b\n--|--\n1 | 2",
    "`code` ~~gone~~ **bold** _it_",
    "&lt;b&gt; &#x3c;i&#x3e;",
    "[ref]: https://evil.example",
    "<https://evil.example>",
    "\\[esc](https://evil.example)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_hostile_text_stays_active(text):
    safe = markdown(text)
    assert "<" not in safe
    assert ">" not in safe
    assert "://" not in safe
    assert "www." not in safe.lower()
    assert "@" not in safe
    assert "\n" not in safe
    plain = safe.replace("\\\\", "")
    for sign in "[]()!`*_#|~":
        assert plain.count(sign) == plain.count(f"\\{sign}"), sign


def test_an_entity_written_by_others_is_shown_as_written():
    assert markdown("&lt;b&gt;") == "&amp;lt\\;b&amp;gt\\;"


def test_plain_chinese_stays_as_it_is():
    assert markdown("双肺未见明显异常") == "双肺未见明显异常"


def test_direction_and_control_signs_are_dropped():
    assert one_line("左\u202e右\x00上\u2066下") == "左 右 上 下"


def test_short_text_is_not_cut_and_long_text_ends_in_an_ellipsis():
    assert shorten("一二三", 3) == "一二三"
    assert shorten("一二三四", 3) == "一二…"


def test_moments_are_shown_in_local_time():
    assert moment_words(AT) == "2026-03-15 10:00"
