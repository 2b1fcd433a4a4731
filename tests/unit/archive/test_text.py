"""Text in the character sets of China's scanners, declared rightly, wrongly or not at all."""

import pytest

from accord.archive.text import character_set


@pytest.mark.parametrize(
    ("declared", "data", "text", "guessed"),
    [
        ("ISO_IR 192", "王小东".encode(), "王小东", False),
        ("GB18030", "王小东".encode("gb18030"), "王小东", False),
        ("GB18030", "㐂\\乙".encode("gb18030"), "㐂\\乙", False),
        (
            "\\ISO 2022 IR 58",
            b"Wang^X=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1\xb6\xab",
            "Wang^X=王^小东",
            False,
        ),
        ("\\ISO 2022 IR 58", b"\x1b$)A\xcd\xf5^\xd0\xa1\xb6\xab", "王^小东", False),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B^x", "山田^x", False),
        ("ISO_IR 100", "Jérôme".encode("latin_1"), "Jérôme", False),
        ("ISO_IR 100", "张小明".encode("gb2312"), "张小明", True),
        ("ISO_IR 100", "张小明".encode(), "张小明", True),
        ("", "张三".encode("gb18030"), "张三", True),
        ("", "张三".encode(), "张三", True),
        ("", b"plain", "plain", False),
        ("ISO-IR 192", "王".encode(), "王", False),
        ("ISO_IR 192", "王".encode("gb18030"), "王", True),
        ("NO SUCH SET", "王".encode(), "王", True),
    ],
)
def test_text_is_read_as_what_its_bytes_are(declared, data, text, guessed):
    assert character_set(declared).decode(data) == (text, guessed)


def test_a_lone_accented_pair_in_a_word_is_no_chinese():
    assert character_set("ISO_IR 100").decode("créée".encode("latin_1")).value == "créée"
