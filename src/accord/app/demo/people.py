"""The invented people of the demo: names, birth dates, and ids that no real person can have.

The third and fourth digit of every id are 99: no such region was ever assigned, so a valid check
digit makes nobody's number (design.md 5).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accord.app.demo.region import BY_CODE, CQ

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"
_REGIONS: Final = ("509901", "519902")


@dataclass(frozen=True)
class Person:
    """An invented person; `written` is how a header with Pinyin only calls them."""

    key: str
    name: str
    sex: str
    born: date
    pinyin: str = ""

    @property
    def serial(self) -> int:
        """Their number among the people of the demo."""
        return int(self.key[1:])

    @property
    def national_id(self) -> str:
        """A well-formed id with an unassigned region."""
        order = self.serial * 2 + (1 if self.sex == "M" else 0)
        body = f"{_REGIONS[self.serial % 2]}{self.born:%Y%m%d}{order:03d}"
        total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
        return body + _CHECK_DIGITS[total % 11]

    def local_id(self, institution: str) -> str:
        """Return the number under which a hospital keeps them: another one in each."""
        initial = "C" if BY_CODE[institution].place is CQ else "S"
        return f"{initial}{institution[7:9]}{self.serial:05d}"


def _person(line: str) -> Person:
    key, name, sex, born, *pinyin = line.split()
    return Person(key, name, sex, date.fromisoformat(born), pinyin[0] if pinyin else "")


PEOPLE: Final = {
    person.key: person
    for person in map(
        _person,
        """
        p01 王示宁 F 1961-03-18
        p02 李样文 M 1955-11-02
        p03 张拟芳 F 1978-07-25
        p04 刘假山 M 1969-01-30
        p05 陈测雨 F 1983-09-14
        p06 杨构林 M 1949-05-06
        p07 赵演青 F 1990-12-21
        p08 黄虚谷 M 1958-08-08
        p09 周设云 F 1972-02-17
        p10 吴造桥 M 1966-10-11
        p11 徐示川 M 1980-04-29
        p12 孙样渝 F 1953-06-13
        p13 马拟娟 F 1964-09-03
        p14 朱假田 M 1951-12-08
        p15 胡测秋 F 1975-03-27
        p16 郭构江 M 1962-07-19
        p17 何演霜 F 1988-05-15
        p18 高虚舟 M 1971-11-23
        p19 林设竹 M 1959-02-04
        p20 罗造雪 F 1967-08-31
        p21 郑示岩 M 1948-10-26
        p22 梁样梅 F 1985-01-12
        p23 谢拟溪 M 1956-04-20
        p24 宋假兰 F 1973-12-02
        p25 唐测月 F 1979-06-28
        p26 许构石 M 1968-09-17
        p27 邓演禾 M 1963-03-05
        p28 韩虚竹 F 1957-11-30
        p29 曾丽设 F 1981-07-07 ZENG^LISHE
        p30 彭造根 M 1952-05-24
        p31 萧示平 M 1960-02-29
        p32 蔡样山 M 1944-10-09
        p33 潘拟霞 F 1976-08-16
        p34 田假荷 F 1987-04-03
        p35 董测松 M 1965-12-19
        p36 袁构菊 F 1954-09-22
        p37 扎西·演多 M 1982-06-11
        p38 蒋虚海 M 1970-01-08
        p39 余设桂 F 1947-07-14
        p40 杜造冬 M 1974-11-05
        p41 叶示春 F 1992-03-09
        p42 程样禾 M 1950-08-27
        p43 魏拟秀 F 1961-10-16
        p44 苏假柏 M 1977-05-31
        """.strip().splitlines(),
    )
}
