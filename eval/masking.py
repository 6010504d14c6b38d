"""Personal data out of recorded conversations, before anything of them is stored.

The same person or number gets the same mask throughout a conversation, so that it can still be followed. Patterns, the
telephone rules of libphonenumber, and the lists of first names that Faker carries; docs/suites.md says what they miss.
Rather too much is masked than too little.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, partial
from importlib import import_module

import phonenumbers

REGIONS = ("GB", "US")  # how a number without a country's code is read
SHORTEST_NUMBER = 7  # digits of a telephone number
_LOCALES = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "tr_TR", "sv_SE")
# Names that open an English sentence as another word; elsewhere in it a capital makes them names.
_ALSO = (
    "will mark may grace hope rose bill frank art rich faith joy jack pat sue dean dawn holly ivy olive ruby amber carol "
    "drew gene grant lance miles norm ray rob sally skip star guy chance chase early destiny justice young price prince "
    "king royal miracle precious heaven sky page brook cliff dale dot earnest iris penny robin sandy violet win wade "
    "tab josh don ok major lane parker ford christian earl duke max van sunny sonny ward"
)
_ALSO_WORDS = frozenset(_ALSO.split())
_NO_NAMES = (
    "april may june august monday tuesday wednesday thursday friday saturday sunday january february march july september "
    "october november december sir madam there all team everyone anyone mr mrs ms miss the that this what when where why "
    "who how yes not and but for are you your our can our english french german dutch polish turkish london paris "
    "customer agent support service christmas easter sorry please thanks thank hello good morning afternoon evening"
)
_NEVER = frozenset(_NO_NAMES.split())
_WORD = r"[A-ZÀ-ÞŁŚŻ][\w'’-]*[\w]"
_NAME = rf"{_WORD}(?:[ \t]+{_WORD}){{0,2}}"
_STREET = (
    r"street|st|road|rd|avenue|ave|lane|ln|close|drive|dr|court|ct|place|pl|square|sq|terrace|crescent|way|gardens|grove|"
    r"hill|row|mews|walk|boulevard|blvd|parkway|highway|hwy|stra(?:ss|ß)e|weg|platz|allee"
)
_WHAT = r"order|invoice|ticket|case|reference|ref|account|acct|booking|tracking|policy|customer|serial|contract|member(?:ship)?"
_BORN = r"(?i:\bdob|\bborn(?: on)?|\bbirth(?:day)?)"
_DAY = r"(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z][a-z]+,? \d{4}|[A-Z][a-z]+ \d{1,2}(?:st|nd|rd|th)?,? \d{4}"
_PATTERNS = (  # in this order: what one has masked, the next no longer sees; `it` is the part that is masked
    ("EMAIL", r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+|(?i:[\w.+-]+ at [\w-]+(?: dot [\w-]+)+)"),
    ("LINK", r"\b(?:https?://|www\.)\S+"),
    ("IBAN", r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b"),
    ("IBAN", r"(?i:\b(?=\w*\d{8})[a-z]{2}\d{2}\w{11,30}\b)"),
    ("CARD", r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\w)"),
    ("IP", r"\b\d{1,3}(?:\.\d{1,3}){3}\b"),
    ("IP", r"(?<![\w:])(?:(?:[\dA-Fa-f]{1,4}:){4,7}|(?:[\dA-Fa-f]{1,4}:){1,6}(?::[\dA-Fa-f]{1,4}){0,5}:)[\dA-Fa-f]{1,4}\b"),
    ("DATE OF BIRTH", rf"{_BORN}(?:[:,]| is| on)? (?P<it>{_DAY}|(?=\S*\d)[\w/.-]*\w(?: [A-Z]\w+ \d{{4}})?)"),
    ("ADDRESS", rf"\b\d{{1,5}}[A-Za-z]?,?(?: [A-Za-zÀ-ÿ'’]+){{1,3}} (?i:{_STREET})\b\.?"),
    ("ADDRESS", r"\b(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]{2},? \d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b"),
    ("ORDER", rf"(?i:\b(?:{_WHAT})s?(?:[ -]?(?:number|no\.?|id|code))?(?: is|:|,)? ?#?)(?P<it>(?=[\w/-]*\d{{3}})[\w/-]+)"),
    ("ORDER", r"#(?P<it>[\w/-]*\d[\w/-]+)"),
    ("ORDER", r"\b(?=[A-Z0-9/-]*[A-Z])(?=(?:[A-Z0-9/-]*\d){3})[A-Z0-9]+(?:[-/]?[A-Z0-9]+)*\b"),
    ("PHONE", ""),  # by phonenumbers
    ("NUMBER", r"(?<![\d£$€.,-])(?!(?:19|20)\d\d-\d\d-\d\d)\d(?:[ -]?\d){5,}(?!\d)"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")
_BEFORE_A_NAME = (
    r"(?i:\bmy name(?:'s|’s| is)|\bname's|\bname’s|\bI am|\bI'm|\bI’m|\bthrough to|\b(?:speaking|spoke|talking) (?:to|with)"
    r"|\bcall me|\bask for|\bregards,?|\bthis is|\bhi,?|\bhello,?|\bhey,?|\bdear|\bthank you,?|\bthanks,?)"
)
_NOT_OF_A_NAME = r"(?!and\b|from\b|i\b|im\b|calling\b|here\b|but\b)"
_INTRODUCED = (
    re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Señora?|M|Mme)\.?[ \t]+(?P<it>{_NAME})"),
    re.compile(rf"{_BEFORE_A_NAME}\s+(?P<it>{_NAME})"),
    re.compile(rf"\b(?P<it>{_NAME})[ \t]+speaking\b"),
    re.compile(rf"(?i:\bmy name(?:'s|’s| is))[ \t]+(?P<it>[a-z]{{2,}}(?:[ \t]+{_NOT_OF_A_NAME}[a-z]{{2,}})?)"),
)
_ANY_NAME = re.compile(_NAME)


def mask(texts: Sequence[str], names: Iterable[str] = ()) -> list[str]:
    """The texts of one conversation with every piece of personal data as `[KIND n]`.

    Names are looked for in all texts first, so that one given late is masked early too. `names` are known beforehand.
    """
    masker = _Masker()
    for name in names:
        masker.learn(name)
    for text in texts:
        masker.look_for_names(text)
    masker.know_names()
    return [masker.mask(text) for text in texts]


class _Masker:
    """What one conversation has shown so far: the number of each thing, by kind, and of each part of a name."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], int] = {}
        self._names: dict[str, int] = {}
        self._small: set[str] = set()  # parts that somebody wrote without a capital
        self._known: re.Pattern[str] | None = None  # any run of the parts, once all are known

    def learn(self, name: str) -> None:
        """Take note of a person. A part that is known already makes it the same person."""
        parts = [_plain(part) for part in name.split()]
        parts = [part for part in parts if len(part) > 1 and part not in _NEVER]
        if parts:
            known = {self._names[part] for part in parts if part in self._names}
            number = min(known, default=max(self._names.values(), default=0) + 1)
            self._names = {part: number if k in known else k for part, k in self._names.items()}
            self._names |= dict.fromkeys(parts, number)
            self._small |= {part for part in name.split() if part.islower()}

    def look_for_names(self, text: str) -> None:
        for pattern in _INTRODUCED:
            for match in pattern.finditer(text):
                first, *rest = match["it"].split()
                if first.casefold() in _NEVER or first.endswith("ly"):  # "strictly speaking"
                    continue
                self.learn(" ".join([first, *rest]))
        for match in _ANY_NAME.finditer(text):
            words = match[0].split()
            opens = _opens(text, match.start())
            for k, word in enumerate(words):
                if _plain(word) in first_names() and not (k == 0 and opens and _plain(word) in _ALSO_WORDS):
                    self.learn(" ".join(words[k:]))
                    break

    def know_names(self) -> None:
        """All texts have been looked through; from here on no name is added."""
        if self._names:
            part = "|".join(sorted(map(re.escape, self._names), key=len, reverse=True))
            self._known = re.compile(rf"\b(?:{part})(?:[ \t]+(?:{part}))*\b", re.I)  # a run of parts is one person

    def mask(self, text: str) -> str:
        for kind, pattern in _COMPILED:
            text = pattern.sub(partial(self._replaced, kind), text) if pattern.pattern else self._phones(text)
        return self._known_names(text)

    def _replaced(self, kind: str, match: re.Match[str]) -> str:
        found = match["it"] if "it" in match.re.groupindex else match[0]
        return match[0].removesuffix(found) + self._token(kind, found)

    def _token(self, kind: str, found: str) -> str:
        same = re.sub(r"[\W_]+", "", found).casefold()
        number = self._seen.setdefault((kind, same), 1 + sum(k == kind for k, _ in self._seen))
        return f"[{kind} {number}]"

    def _phones(self, text: str) -> str:
        if sum(map(str.isdigit, text)) < SHORTEST_NUMBER:
            return text  # most lines, and the search is slow
        for region in REGIONS:
            done, rest = "", 0
            for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE):
                digits = sum(char.isdigit() for char in match.raw_string)
                if (
                    digits >= SHORTEST_NUMBER
                    and not text[: match.start].endswith(("£", "$", "€"))
                    and not _DATE.match(match.raw_string)
                ):
                    done += text[rest : match.start] + self._token("PHONE", match.raw_string)
                    rest = match.end
            text = done + text[rest:]
        return text

    def _known_names(self, text: str) -> str:
        if self._known is None:
            return text

        def replaced(match: re.Match[str]) -> str:
            found = match[0]
            verb = _opens(text, match.start()) and re.match(r" [a-z]", text[match.end() :])  # "Will you", "Mark the"
            if found.casefold() in _ALSO_WORDS and (found.islower() or verb):
                return found
            if found.islower() and not self._small & set(found.split()) and found.split()[0] not in first_names():
                return found  # "Severn Water" makes no name of water
            number = self._names.get(_plain(found.split()[0]))
            return f"[NAME {number}]" if number else "[NAME]"

        return self._known.sub(replaced, text)


def _plain(word: str) -> str:
    """The word as it is compared: without a possessive, in small letters, the Turkish dotless i as any other."""
    return word.strip("'’-").removesuffix("'s").removesuffix("’s").casefold().replace("ı", "i").replace("i\u0307", "i")


def _opens(text: str, at: int) -> bool:
    """Whether a sentence begins at this place."""
    before = text[:at].rstrip(' \t"“‘')
    return not before or before[-1] in ".!?:;\n"


@cache
def first_names() -> frozenset[str]:
    """First names in small letters, from Faker's lists of Latin-script locales."""
    found: set[str] = set()
    for locale in _LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for attribute in ("first_names", "first_names_male", "first_names_female"):
            found |= {name.casefold() for name in getattr(provider, attribute, ())}
    return frozenset(name for name in found if len(name) > 2 and name not in _NEVER)
