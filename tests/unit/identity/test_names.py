"""Names as people and headers write them (R-ID-1, R7.1.2, T41, T42)."""

import pytest

from accord.identity.names import NameMatch, equal_names, normalise


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("扎西·多吉", "扎西•多吉"),
        ("扎西・多吉", "扎西.多吉"),
        ("张 三", "张三"),
        ("張偉", "张伟"),
        ("鄧麗華", "邓丽华"),
        ("Smith^John", "SMITH JOHN"),
        ("ＬＩ^ＮＡ", "li na"),
        ("ZHANG^SAN=张^三", "张三"),
        ("ZHANG^SAN=張^三=", "张^三"),
        ("NG^SIU MING=吴小明", "Ng Siu Ming"),
        ("李\ue863", "李\u4dae"),
        ("王\u200b五", "王五"),
    ],
)
def test_names_that_differ_only_in_writing_are_equal(a, b):
    assert equal_names(a, b) is NameMatch.EQUAL
    assert equal_names(b, a) is NameMatch.EQUAL


@pytest.mark.parametrize(
    ("latin", "han"),
    [
        ("ZENG^LI", "曾丽"),
        ("CENG^LI", "曾丽"),
        ("LI^ZENG", "曾丽"),
        ("SHAN^XIAOHONG", "单晓红"),
        ("DAN^XIAO HONG", "单晓红"),
        ("Qiu Wei", "仇伟"),
        ("Xie Jun", "解军"),
        ("ZHA^LIANGYONG", "查良镛"),
        ("LU^MIN", "吕敏"),
        ("LV^MIN", "吕敏"),
        ("LYU^MIN", "吕敏"),
        ("LÜ^MIN", "吕敏"),
        ("Zēng Lì", "曾丽"),
        ("OUYANG^NA", "欧阳娜"),
        ("NA^OUYANG", "欧阳娜"),
        ("XI'AN LI", "李西安"),
        ("LI^XI-AN", "李西安"),
        ("TENG^YUE=", "滕岳"),
    ],
)
def test_pinyin_that_is_a_reading_of_the_han_name_is_the_same(latin, han):
    assert equal_names(latin, han) is NameMatch.READING
    assert equal_names(han, latin).is_same


@pytest.mark.parametrize(
    ("latin", "han"),
    [("WANG^LI", "曾丽"), ("ZENG", "曾丽"), ("ZENG^LIN", "曾丽"), ("SMITH^JOHN", "曾丽")],
)
def test_pinyin_of_another_name_is_no_reading(latin, han):
    assert equal_names(latin, han) is NameMatch.NOT_A_READING
    assert not equal_names(latin, han).is_same


@pytest.mark.parametrize(
    ("a", "b"),
    [("曾丽", "曾莉"), ("ZENG^LI", "ZENG^LIN"), ("多吉·扎西", "扎西·多吉"), ("陈喆", "陈哲")],
)
def test_other_names_differ(a, b):
    assert equal_names(a, b) is NameMatch.DIFFERENT


def test_two_han_forms_decide_even_where_the_pinyin_agrees():
    assert equal_names("ZENG^LI=曾丽", "ZENG^LI=曾莉") is NameMatch.DIFFERENT


@pytest.mark.parametrize("blank", [None, "", "^^", " = "])
def test_an_unwritten_name_is_neither_equal_nor_different(blank):
    match = equal_names(blank, "曾丽")
    assert match is NameMatch.UNKNOWN
    assert not match.is_same


def test_a_character_that_is_both_traditional_and_simplified_stays():
    assert normalise("乾") == "乾"
    assert normalise("於") == "於"
