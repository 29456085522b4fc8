"""Names of other scripts in Latin letters, as passports, catalogues and clerks spell them.

Ideographs have no spelling that could be computed; there the header's own component groups
tell it (PS3.5 6.2.1.2). Hangul is left to them too: names are spelled by habit, not by rule.
"""

from __future__ import annotations

from collections.abc import Iterator

_CYRILLIC = "а б в г д е з и к л м н о п р с т у ф ы э ъ ь і ї є ґ ў ј љ њ ћ ђ џ".split()
_PLAIN = "a b v g d e z i k l m n o p r s t u f y e _ _ i i e g u j lj nj c dj dz".split()
_HISSING = "ж х ц ч ш щ ю я й ё".split()
_HISSED = (
    "zh kh ts ch sh shch yu ya y yo",  # English
    "zh kh ts ch sh shch iu ia i e",  # passports (ICAO Doc 9303)
    "z h c c s sc ju ja j e",  # ISO 9 without diacritics
    "sch ch z tsch sch schtsch ju ja j jo",  # German
    "j kh ts tch ch chtch iou ia i io",  # French
)
_CYRILLIC_SYSTEMS = tuple(
    {ord(letter): latin.strip("_") for letter, latin in zip(
        (*_CYRILLIC, *_HISSING), (*_PLAIN, *hissed.split()), strict=True)}
    for hissed in _HISSED
)  # fmt: skip
_GERMAN, _FRENCH = 3, 4

_GREEK = "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω".split()
_GREEK_SYSTEMS = tuple(
    {ord(letter): latin for letter, latin in zip(_GREEK, spelled.split(), strict=True)}
    for spelled in (
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o",  # ELOT 743
        "a v g d e z i th i k l m n x o p r s s t i f h ps o",  # by sound
        "a b g d e z e th i k l m n x o p r s s t y ph ch ps o",  # classical
    )
)
_GREEK_PAIRS = ((("ου", "ou"),), (("ου", "ou"), ("ει", "i"), ("οι", "i"), ("αι", "e"),
                ("μπ", "b"), ("ντ", "d"), ("γκ", "g")), (("ου", "ou"),))  # fmt: skip

_KANA_ROWS = (
    ("あいうえお", "a i u e o"), ("かきくけこ", "ka ki ku ke ko"),
    ("がぎぐげご", "ga gi gu ge go"), ("さしすせそ", "sa shi su se so"),
    ("ざじずぜぞ", "za ji zu ze zo"), ("たちつてと", "ta chi tsu te to"),
    ("だぢづでど", "da ji zu de do"), ("なにぬねの", "na ni nu ne no"),
    ("はひふへほ", "ha hi fu he ho"), ("ばびぶべぼ", "ba bi bu be bo"),
    ("ぱぴぷぺぽ", "pa pi pu pe po"), ("まみむめも", "ma mi mu me mo"),
    ("やゆよ", "ya yu yo"), ("らりるれろ", "ra ri ru re ro"), ("わをん", "wa o n"),
)  # fmt: skip
_KANA = {
    letter: latin
    for letters, spelled in _KANA_ROWS
    for letter, latin in zip(letters, spelled.split(), strict=True)
}
_SMALL = {"ゃ": "ya", "ゅ": "yu", "ょ": "yo"}
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


def romanize(word: str) -> Iterator[str]:
    """Spellings in Latin letters of a word in Cyrillic, Greek or kana; none for others.

    Parameters
    ----------
    word : str
        Case folded and composed (NFC).
    """
    first = ord(word[0]) if word else 0
    if 0x0400 <= first < 0x0530:
        yield from _from_cyrillic(word)
    elif 0x0370 <= first < 0x0400 or 0x1F00 <= first < 0x2000:
        yield from _from_greek(word)
    elif 0x3041 <= first <= 0x30FF:
        yield from _from_kana(word)


def _from_cyrillic(word: str) -> Iterator[str]:
    for number, system in enumerate(_CYRILLIC_SYSTEMS):
        spelled = word.translate(system)
        if number == _GERMAN:
            yield spelled.replace("v", "w")
        yield word.replace("у", "ou").translate(system) if number == _FRENCH else spelled


def _from_greek(word: str) -> Iterator[str]:
    bare = word.translate(_ACCENTS)
    for system, pairs in zip(_GREEK_SYSTEMS, _GREEK_PAIRS, strict=True):
        spelled = bare
        for greek, latin in pairs:
            spelled = spelled.replace(greek, latin)
        yield spelled.translate(system)


_ACCENTS = str.maketrans("άέήίόύώϊϋΐΰ", "αεηιουωιυιυ")


def _from_kana(word: str) -> Iterator[str]:
    """Hepburn, with long vowels written out and left out."""
    spelled = ""
    is_doubled = False
    for letter in word.translate(_KATAKANA):
        if letter in _SMALL and spelled.endswith("i"):
            stem = spelled[:-1]
            small = _SMALL[letter]
            spelled = stem + (small[1:] if stem.endswith(("sh", "ch", "j")) else small)
        elif letter == "っ":
            is_doubled = True
        elif letter == "ー":
            spelled += spelled[-1:]
        else:
            latin = _KANA.get(letter, "")
            spelled += latin[:1] + latin if is_doubled else latin
            is_doubled = False
    yield spelled
    yield spelled.replace("ou", "o").replace("oo", "o").replace("uu", "u")
