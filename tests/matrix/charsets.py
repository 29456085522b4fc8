"""Patients of the matrix: a name, a reader and an institution in every character set.

References
----------
PS3.3 C.12.1.1.2; PS3.5 6.1.2 and Annexes H, I, J, K.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from tests.factories import Patient, patient


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """A value of Specific Character Set with texts that need it.

    Attributes
    ----------
    terms : tuple of str
        Of Specific Character Set (0008,0005); empty for the default repertoire.
    name, reader : str
        Persons whose names must go.
    place : str
        Institution Name, which the profile of the matrix retains.
    """

    terms: tuple[str, ...]
    name: str
    reader: str
    place: str

    @property
    def patient(self) -> Patient:
        """The patient of the tests with these texts."""
        return patient(name=self.name, reader=self.reader, institution=self.place)


CHARACTER_SETS = {
    "ISO_IR 6": CharacterSet((), "Qvistorpe^Zebediahn", "Hargenfeld^Thaddeus", "Hill Clinic"),
    "ISO_IR 100": CharacterSet(
        ("ISO_IR 100",), "Bäckenström^Françoise", "Grønvæld^Åsa", "Höpital Sainte-Thérèse"
    ),
    "ISO_IR 101": CharacterSet(
        ("ISO_IR 101",), "Wąłęszczyk^Zdzisław", "Dvořáček^Jiří", "Szpital Miejski Łódź"
    ),
    "ISO_IR 109": CharacterSet(
        ("ISO_IR 109",), "Ĉefeĉantoj^Ĥaŭnio", "Ġorġellu^Żeżu", "Malsanulejo ĉe Ĝardeno"
    ),
    "ISO_IR 110": CharacterSet(
        ("ISO_IR 110",), "Bērziņčuks^Ģirtiņš", "Šķēlēns^Ieviņa", "Slimnīca pie Ķīšezera"
    ),
    "ISO_IR 148": CharacterSet(
        ("ISO_IR 148",), "Çavuşğluoğ^İbrahimcan", "Öztürkşen^Gülşah", "Şehir Hastanesi Iğdır"
    ),
    "ISO_IR 203": CharacterSet(
        ("ISO_IR 203",), "Œuvreštard^Žanetti", "Šimonekœv^Zoë", "Hôpital du Sacré-Cœur"
    ),
    "ISO_IR 144": CharacterSet(
        ("ISO_IR 144",), "Люксембургин^Ванюшечка", "Щербаковский^Жорж", "Больница у реки"
    ),
    "ISO_IR 127": CharacterSet(
        ("ISO_IR 127",), "قبانيسكي^لنزاروف", "خوارزمينو^سميرة", "مستشفى المدينة"
    ),
    "ISO_IR 126": CharacterSet(
        ("ISO_IR 126",), "Διονυσιάδηςκος^Θρασύβουλος", "Ξενοφώντειος^Ψάλτης", "Νοσοκομείο Πόλεως"
    ),
    "ISO_IR 138": CharacterSet(
        ("ISO_IR 138",), "שרוןברגסקי^דבורהלה", "גולדוסרמן^יעקובי", "בית חולים העיר"
    ),
    "ISO_IR 166": CharacterSet(
        ("ISO_IR 166",), "สมศักดิ์วงศ์ทอง^กมลชนก", "พิทักษ์ไทยแลนด์^วีระ", "โรงพยาบาลเมือง"
    ),
    "ISO_IR 13": CharacterSet(
        ("ISO_IR 13",), "ﾔﾏﾀﾞｸﾞﾁ^ﾀﾛｳﾏﾙ", "ｽｽﾞｷﾓﾄ^ﾊﾅｺﾏﾙ", "ｼﾐﾝﾋﾞｮｳｲﾝ"
    ),
    "ISO 2022 IR 87": CharacterSet(
        ("", "ISO 2022 IR 87"), "Yamadaguchi^Taroumaru=山田口^太郎丸=やまだぐち^たろうまる",
        "Suzukimoto^Hana=鈴木本^花子丸", "市民総合病院",
    ),
    "ISO 2022 IR 13 87": CharacterSet(
        ("ISO 2022 IR 13", "ISO 2022 IR 87"), "ﾔﾏﾀﾞｸﾞﾁ^ﾀﾛｳﾏﾙ=山田口^太郎丸=やまだぐち^たろうまる",
        "ｽｽﾞｷﾓﾄ^ﾊﾅｺ=鈴木本^花子丸", "市民総合病院",
    ),
    "ISO 2022 IR 159": CharacterSet(
        ("", "ISO 2022 IR 87", "ISO 2022 IR 159"), "Yamadaguchi^Taroumaru=山田丂侄^太郎丸",
        "Suzukimoto^Hana=鈴木侔^花子丸", "総合病院",
    ),
    "ISO 2022 IR 149": CharacterSet(
        ("", "ISO 2022 IR 149"), "Hongdaegil^Gildongsu=洪大吉^吉洞守=홍대길^길동수",
        "Kimsatgat^Byeong=金笠冠^炳淵=김삿갓^병연", "시립병원",
    ),
    "ISO 2022 IR 58": CharacterSet(
        ("", "ISO 2022 IR 58"), "Zhangxiaodong^Dongfang=张小东^东方红", "Wangxuem^Mei=王雪梅^梅花",
        "市立中心医院",
    ),
    "ISO_IR 192": CharacterSet(
        ("ISO_IR 192",), "Müllerovič^Żanetta=王小东西^东方红", "Ångströmsson^Łukasz",
        "Krankenhaus 中央 Öst",
    ),
    "GB18030": CharacterSet(
        ("GB18030",), "Wangxiaodong^Dongx=王小东西^东方红", "Zhaoqiansun^Li=赵钱孙李^李周吴",
        "第一人民医院",
    ),
    "GBK": CharacterSet(
        ("GBK",), "Wangxiaodong^Dongx=王小東西^東方紅", "Zhaoqiansun^Li=趙錢孫李^李周吳",
        "第一人民醫院",
    ),
    "ISO 2022 IR 100 144": CharacterSet(
        ("ISO 2022 IR 100", "ISO 2022 IR 144"), "Bäckenström^Françoise=Люксембургин^Ванюшечка",
        "Grønvæld^Åsa", "Klinik Süd, Больница у реки",
    ),
}  # fmt: skip
CODECS = (
    "utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859_2", "iso8859_3", "iso8859_4",
    "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9", "iso8859_15", "iso8859_11",
    "shift_jis", "iso2022_jp", "iso2022_jp_2", "euc_jp", "euc_kr", "gb2312", "gb18030", "gbk",
)  # fmt: skip
"""Every encoding that a canary is searched in."""


def declare(dataset: Dataset, name: str) -> Dataset:
    """Give an object a character set; pydicom writes its texts in it."""
    terms = CHARACTER_SETS[name].terms
    if terms:
        dataset.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
    else:
        del dataset.SpecificCharacterSet
    return dataset
