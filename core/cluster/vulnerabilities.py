"""What scanners and VEX documents say of images: six JSON forms decoded into one model. Pure; used by `day2 vulnerabilities`.

Read are reports of Trivy and Grype, VulnerabilityReport objects (aquasecurity.github.io/v1alpha1, one or a List), SARIF 2.1.0, and as VEX
OpenVEX and CycloneDX. All of it is hostile input: files are bounded, text is made printable, and a record that cannot be read is told by
its place and costs no other. How likely a vulnerability is used comes from CISA's catalogue (KEV, JSON) and FIRST's scores (EPSS, CSV).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec

from core.domain.errors import InvalidInput
from core.domain.values import bounded

LARGEST = 128 * 1024 * 1024
"""Bytes of one file."""
MOST_RECORDS = 250_000
MOST_PROBLEMS = 20
Level = Literal["critical", "high", "medium", "low", "unknown"]
_LEVELS: Mapping[str, Level] = {
    "critical": "critical",
    "high": "high",
    "error": "high",
    "medium": "medium",
    "moderate": "medium",
    "warning": "medium",
    "low": "low",
    "negligible": "low",
    "note": "low",
}
_SCORES: Mapping[Level, float] = {"critical": 9.5, "high": 8.0, "medium": 5.5, "low": 3.0, "unknown": 5.0}
"""Taken where a report has a word and no number."""
_CVE = re.compile(r"CVE-\d{4}-\d{4,10}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{2,63}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_DOCKER = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))
_TRIVY_SARIF = re.compile(r"^(Package|Installed Version|Fixed Version): *(.{0,200})$", re.MULTILINE)


class Image(NamedTuple):
    """`repository` has its host, as container runtimes write it; `digests` are all that the report knows of it."""

    repository: str
    tag: str
    digests: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.tag:
            return f"{self.repository}:{self.tag}"
        return f"{self.repository}@{self.digests[0]}" if self.digests else self.repository


class Record(NamedTuple):
    """One vulnerability of one package of one image. `score` is CVSS, from 0 to 10; `fixed` is empty where no version mends it."""

    id: str
    aliases: tuple[str, ...]
    image: Image
    package: str
    installed: str
    fixed: str
    purl: str
    level: Level
    score: float
    title: str

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.id, *self.aliases)


class Statement(NamedTuple):
    """What a VEX document says of one vulnerability in one product: a purl, or a digest, or a name. `parts` narrow it to packages."""

    ids: tuple[str, ...]
    status: str
    why: str
    product: str
    parts: tuple[str, ...]
    at: str
    source: str

    @property
    def clears(self) -> bool:
        return self.status in ("not_affected", "fixed")


class Problem(NamedTuple):
    """What could not be read, and why."""

    place: str
    reason: str


class Read(NamedTuple):
    """Of one file. `skipped` counts problems that are not listed."""

    form: str
    records: tuple[Record, ...] = ()
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: int = 0


def decode(body: bytes, file: str) -> Read:
    """A report or a VEX document, by what stands in it. Raises InvalidInput for what is neither, or no JSON, or too large."""
    document = _json(body, file)
    for form, fits, read in _FORMS:
        if fits(document):
            found = _Reading(file)
            read(document, found)
            return Read(form, tuple(found.records), tuple(found.statements), tuple(found.problems), found.skipped)
    raise InvalidInput(
        f"{file} is no report that is known here",
        mend="give JSON of Trivy, Grype or kubectl get vulnerabilityreports, SARIF 2.1, OpenVEX or CycloneDX",
    )


def _json(body: bytes, file: str) -> dict[str, Any]:
    if len(body) > LARGEST:
        raise InvalidInput(f"{file} is larger than {LARGEST >> 20} MiB", mend="give one report for each image")
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is no JSON: {bounded(str(error), 120)}", mend="give the file as the scanner wrote it") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} is no JSON object", mend="give the file as the scanner wrote it")
    return document


class _Reading:
    """One file on its way into the model."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.records: list[Record] = []
        self.statements: list[Statement] = []
        self.problems: list[Problem] = []
        self.skipped = 0

    def each(self, items: object, place: str, take: Callable[[dict[str, Any]], Iterable[Record | Statement]]) -> None:
        """Every item alone: what cannot be read is told, and the rest goes on."""
        if items is None:
            return
        if not isinstance(items, list):
            self.problem(place, "it is no list")
            return
        for number, item in enumerate(items):
            if len(self.records) + len(self.statements) >= MOST_RECORDS:
                self.problem(place, f"more than {MOST_RECORDS} records: the rest of the file was not read")
                return
            try:
                if not isinstance(item, dict):
                    raise ValueError("it is no object")  # noqa: TRY004 - told as every other problem of a record
                for made in take(item):
                    if isinstance(made, Record):
                        self.records.append(made)
                    else:
                        self.statements.append(made)
            except ValueError as error:
                self.problem(f"{place}[{number}]", str(error))

    def problem(self, place: str, reason: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(f"{self.file}: {bounded(place, 120)}", bounded(reason, 160)))
        else:
            self.skipped += 1


def _text(item: object, *path: str) -> str:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return bounded(item, 300) if isinstance(item, str) else ""


def _number(item: object, *path: str) -> float:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    if isinstance(item, str) and re.fullmatch(r"\d{1,2}(\.\d{1,3})?", item, re.ASCII):
        item = float(item)
    good = isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item <= 10
    return float(item) if good else 0.0  # type: ignore[arg-type]


def _texts(item: object) -> tuple[str, ...]:
    return tuple(bounded(each, 300) for each in item if isinstance(each, str))[:50] if isinstance(item, list) else ()


def _dicts(item: object) -> Iterator[dict[str, Any]]:
    return (each for each in item if isinstance(each, dict)) if isinstance(item, list) else iter(())


def _record(name: str, image: Image, *, aliases: Iterable[str] = (), level: str, score: float, **fields: str) -> Record:
    """Raises ValueError for what has no id. A CVE among its names is the one it goes by: catalogues know no other."""
    names = [each for each in dict.fromkeys((name, *aliases)) if _ID.fullmatch(each)]
    if not names:
        raise ValueError("it has no id of a vulnerability")
    first = next((each for each in names if _CVE.fullmatch(each)), names[0])
    word = _LEVELS.get(level.lower(), "unknown")
    more = {key: fields.get(key, "") for key in ("package", "installed", "fixed", "purl", "title")}
    others = tuple(each for each in names if each != first)[:20]
    return Record(first, others, image, level=word, score=score or _SCORES[word], **more)


def image_of(text: str, digests: Iterable[str] = ()) -> Image:
    """A reference as people and runtimes write it. Docker's own names get their host, as runtimes show them."""
    text = text.strip().removeprefix("docker-pullable://").removeprefix("docker://")
    name, _, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    repository = f"{head}{slash}{last}"
    host, slash, rest = repository.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", repository
    if host in _DOCKER:
        host = "docker.io"
        rest = rest if "/" in rest else f"library/{rest}"
    known = dict.fromkeys(each for each in (digest, *digests) if _DIGEST.fullmatch(each))
    return Image(f"{host}/{rest}", tag or ("" if known else "latest"), tuple(known))


def _digests(references: Iterable[str]) -> Iterator[str]:
    return (found[0] for each in references if (found := _DIGEST.search(each)) is not None)


def _trivy(document: dict[str, Any], into: _Reading) -> None:
    image = image_of(_text(document, "ArtifactName"), _digests(_texts(_of(document, "Metadata", "RepoDigests"))))
    for number, result in enumerate(_dicts(document.get("Results"))):
        into.each(result.get("Vulnerabilities"), f"Results[{number}].Vulnerabilities", lambda item: [_of_trivy(item, image)])


def _of(item: object, *path: str) -> object:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _of_trivy(item: dict[str, Any], image: Image) -> Record:
    scores = [_number(each, key) for each in _values(item.get("CVSS")) for key in ("V40Score", "V3Score")]
    return _record(
        _text(item, "VulnerabilityID"),
        image,
        aliases=_texts(item.get("VendorIDs")),
        level=_text(item, "Severity"),
        score=max(scores, default=0.0),
        package=_text(item, "PkgName"),
        installed=_text(item, "InstalledVersion"),
        fixed=_text(item, "FixedVersion"),
        purl=_text(item, "PkgIdentifier", "PURL"),
        title=_text(item, "Title"),
    )


def _values(item: object) -> Iterable[object]:
    return item.values() if isinstance(item, dict) else ()


def _grype(document: dict[str, Any], into: _Reading) -> None:
    target = _of(document, "source", "target")
    references = (*_texts(_of(target, "repoDigests")), _text(target, "manifestDigest"))
    image = image_of(_text(target, "userInput") or (target if isinstance(target, str) else ""), _digests(references))
    into.each(document.get("matches"), "matches", lambda item: [_of_grype(item, image)])


def _of_grype(item: dict[str, Any], image: Image) -> Record:
    found, artifact = item.get("vulnerability"), item.get("artifact")
    related = [_text(each, "id") for each in _dicts(item.get("relatedVulnerabilities"))]
    rated = (found, *_dicts(item.get("relatedVulnerabilities")))
    scores = [_number(each, "metrics", "baseScore") for one in rated for each in _dicts(_of(one, "cvss"))]
    return _record(
        _text(found, "id"),
        image,
        aliases=related,
        level=_text(found, "severity"),
        score=max(scores, default=0.0),
        package=_text(artifact, "name"),
        installed=_text(artifact, "version"),
        fixed=", ".join(_texts(_of(found, "fix", "versions"))[:3]),
        purl=_text(artifact, "purl"),
        title=_text(found, "description"),
    )


def _reports(document: dict[str, Any], into: _Reading) -> None:
    listed = "items" in document
    for number, item in enumerate(_dicts(document["items"])) if listed else [(0, document)]:
        if _text(item, "kind") not in ("", "VulnerabilityReport"):
            continue
        report = item.get("report")
        server = _text(report, "registry", "server")
        name = "/".join(filter(None, (server, _text(report, "artifact", "repository"))))
        digest = _text(report, "artifact", "digest")
        image = image_of(f"{name}:{tag}" if (tag := _text(report, "artifact", "tag")) else name, _digests([digest]))
        place = f"items[{number}].report.vulnerabilities" if listed else "report.vulnerabilities"
        into.each(_of(report, "vulnerabilities"), place, lambda each, image=image: [_of_report(each, image)])  # type: ignore[misc]


def _of_report(item: dict[str, Any], image: Image) -> Record:
    return _record(
        _text(item, "vulnerabilityID"),
        image,
        level=_text(item, "severity"),
        score=_number(item, "score"),
        package=_text(item, "resource"),
        installed=_text(item, "installedVersion"),
        fixed=_text(item, "fixedVersion"),
        purl=_text(item, "packagePURL"),
        title=_text(item, "title"),
    )


def _sarif(document: dict[str, Any], into: _Reading) -> None:
    for number, run in enumerate(_dicts(document.get("runs"))):
        rules = list(_dicts(_of(run, "tool", "driver", "rules")))
        by_id = {_text(rule, "id"): rule for rule in rules}
        properties = run.get("properties")
        image = image_of(_text(properties, "imageName"), _digests(_texts(_of(properties, "repoDigests"))))
        take = lambda item, by_id=by_id, image=image: [_of_sarif(item, by_id, image)]  # noqa: E731
        into.each(run.get("results"), f"runs[{number}].results", take)


def _of_sarif(item: dict[str, Any], rules: Mapping[str, dict[str, Any]], image: Image) -> Record:
    """The rule has the score; the package is told by Trivy in the message, and by others nowhere that is agreed."""
    name = _text(item, "ruleId") or _text(item, "rule", "id")
    rule = rules.get(name, {})
    cve = _CVE.search(name)
    told = dict(_TRIVY_SARIF.findall(_long(item, "message", "text")))
    return _record(
        cve[0] if cve else name,
        image,
        level=_text(item, "level") or _text(rule, "defaultConfiguration", "level"),
        score=_number(rule, "properties", "security-severity"),
        package=bounded(told.get("Package", ""), 300),
        installed=bounded(told.get("Installed Version", ""), 300),
        fixed=bounded(told.get("Fixed Version", ""), 300),
        title=_text(rule, "shortDescription", "text"),
    )


def _long(item: object, *path: str) -> str:
    found = _of(item, *path)
    return found[:4000] if isinstance(found, str) else ""


def _openvex(document: dict[str, Any], into: _Reading) -> None:
    at, source = _text(document, "timestamp"), _text(document, "author") or into.file
    into.each(document.get("statements"), "statements", lambda item: _of_openvex(item, at, source))


def _of_openvex(item: dict[str, Any], at: str, source: str) -> Iterator[Statement]:
    """The vulnerability is an object, or in the first version of the format its name alone; so are products."""
    vulnerability = item.get("vulnerability")
    name = vulnerability if isinstance(vulnerability, str) else _text(vulnerability, "name") or _text(vulnerability, "@id")
    ids = tuple(each for each in (bounded(name, 64), *_texts(_of(vulnerability, "aliases"))) if _ID.fullmatch(each))
    status = _text(item, "status")
    products = item.get("products")
    if not ids or status not in ("not_affected", "affected", "fixed", "under_investigation"):
        raise ValueError("it has no vulnerability, or no status that VEX knows")
    if not isinstance(products, list) or not products:
        raise ValueError("it names no product: a statement about everything clears nothing")
    why = ": ".join(filter(None, (_text(item, "justification"), _text(item, "impact_statement"))))
    if status == "not_affected" and not why:
        raise ValueError("it says not_affected without a justification or an impact statement")
    for product in products[:1000]:
        parts = tuple(filter(None, (_product(each) for each in _list(_of(product, "subcomponents")))))
        yield Statement(ids, status, why, _product(product), parts, _moment(_text(item, "timestamp") or at), source)


def _moment(text: str) -> str:
    """In UTC, so that texts compare as times do; empty, which is before all others, where it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC).isoformat() if at.tzinfo else at.replace(tzinfo=UTC).isoformat()
    except (ValueError, OverflowError):
        return ""


def _list(item: object) -> list[Any]:
    return item[:1000] if isinstance(item, list) else []


def _product(item: object) -> str:
    if isinstance(item, str):
        return bounded(item, 300)
    return _text(item, "identifiers", "purl") or _text(item, "@id") or _text(item, "hashes", "sha-256")


_CYCLONE: Mapping[str, str] = {
    "not_affected": "not_affected",
    "false_positive": "not_affected",
    "resolved": "fixed",
    "resolved_with_pedigree": "fixed",
    "exploitable": "affected",
    "in_triage": "under_investigation",
}


def _cyclonedx(document: dict[str, Any], into: _Reading) -> None:
    described = _of(document, "metadata", "component")
    root = {_text(described, "bom-ref"): _text(described, "purl") or _text(described, "name")}
    parts = {_text(each, "bom-ref"): _text(each, "purl") for each in _dicts(document.get("components"))}
    at = _moment(_text(document, "metadata", "timestamp"))
    into.each(document.get("vulnerabilities"), "vulnerabilities", lambda item: _of_cyclonedx(item, root, parts, at, into.file))


def _of_cyclonedx(item: dict[str, Any], root: Mapping[str, str], parts: Mapping[str, str], at: str, file: str) -> Iterator[Statement]:
    """A reference is the described component, one of its parts, or a purl. Without an analysis nothing is said."""
    name, state = _text(item, "id"), _text(item, "analysis", "state")
    if not _ID.fullmatch(name):
        raise ValueError("it has no id of a vulnerability")
    if not state:
        return
    if state not in _CYCLONE:
        raise ValueError("its analysis has a state that CycloneDX does not know")
    why = ": ".join(filter(None, (_text(item, "analysis", "justification"), _text(item, "analysis", "detail"))))
    product = next(iter(root.values()), "")
    for affected in _dicts(item.get("affects")):
        ref = _text(affected, "ref").rpartition("#")[2]
        ref = unquote(ref)
        whole, part = root.get(ref, ""), parts.get(ref, "") or (ref if ref.startswith("pkg:") else "")
        if whole:
            yield Statement((name,), _CYCLONE[state], why, whole, (), at, file)
        elif part:
            yield Statement((name,), _CYCLONE[state], why, product or part, (part,) if product else (), at, file)


_FORMS: tuple[tuple[str, Callable[[dict[str, Any]], bool], Callable[[dict[str, Any], _Reading], None]], ...] = (
    ("openvex", lambda document: "openvex" in _text(document, "@context"), _openvex),
    ("cyclonedx", lambda document: _text(document, "bomFormat") == "CycloneDX", _cyclonedx),
    ("sarif", lambda document: isinstance(document.get("runs"), list), _sarif),
    ("grype", lambda document: isinstance(document.get("matches"), list), _grype),
    ("trivy", lambda document: "Results" in document or "ArtifactName" in document, _trivy),
    (
        "vulnerabilityreport",
        lambda document: (
            _text(document, "kind").startswith("VulnerabilityReport")
            or any(_text(item, "kind") == "VulnerabilityReport" for item in _dicts(document.get("items")))
        ),
        _reports,
    ),
)


class Known(NamedTuple):
    """Of KEV: `ransomware` where campaigns are known to use it."""

    added: str
    ransomware: bool


def decode_kev(body: bytes, file: str) -> tuple[dict[str, Known], str]:
    """The catalogue of CISA by CVE, and its date. Raises InvalidInput."""
    document = _json(body, file)
    if not isinstance(document.get("vulnerabilities"), list) or not any("cveID" in each for each in _dicts(document["vulnerabilities"])):
        raise InvalidInput(f"{file} is not CISA's catalogue of exploited vulnerabilities", mend="give known_exploited_vulnerabilities.json")
    found = {
        _text(item, "cveID"): Known(_text(item, "dateAdded"), _text(item, "knownRansomwareCampaignUse").lower() == "known")
        for item in _dicts(document["vulnerabilities"])
    }
    found.pop("", None)
    return found, _text(document, "dateReleased")[:10]


def decode_epss(body: bytes, file: str) -> tuple[dict[str, float], str]:
    """FIRST's daily scores by CVE, and their date. A line that cannot be read is left out. Raises InvalidInput."""
    if len(body) > LARGEST:
        raise InvalidInput(f"{file} is larger than {LARGEST >> 20} MiB", mend="give one day's file")
    lines = body.decode("utf-8", "replace").splitlines()
    day = re.search(r"score_date:(\d{4}-\d{2}-\d{2})", lines[0]) if lines else None
    start = next((at for at, line in enumerate(lines[:3]) if line.lower().startswith("cve,epss")), None)
    if start is None:
        raise InvalidInput(f"{file} has no head cve,epss", mend="give epss_scores-current.csv, also as .gz")
    found: dict[str, float] = {}
    for line in lines[start + 1 : start + 1 + 4 * MOST_RECORDS]:
        name, _, rest = line.partition(",")
        score = rest.partition(",")[0]
        if _CVE.fullmatch(name) and re.fullmatch(r"[01](\.\d{1,12})?|\d(\.\d{1,12})?[eE]-\d{1,2}", score):
            found[name] = min(float(score), 1.0)
    return found, day[1] if day else ""


def age_days(day: str, today: date) -> int | None:
    """None where the file does not say of when it is."""
    try:
        return (today - date.fromisoformat(day)).days
    except ValueError:
        return None


class Purl(NamedTuple):
    """A package URL, as far as it is compared here."""

    name: str
    version: str
    qualifiers: Mapping[str, str]

    @property
    def is_image(self) -> bool:
        return self.name.startswith(("oci/", "docker/"))


def purl_of(text: str) -> Purl | None:
    if not text.startswith("pkg:"):
        return None
    body, _, query = text[4:].partition("#")[0].partition("?")
    name, at, version = body.rpartition("@")
    name, version = (name, version) if at else (body, "")
    return Purl(unquote(name).strip("/").lower(), unquote(version), dict(parse_qsl(query)))


def about(statement: Statement, record: Record) -> bool:
    """Whether a statement speaks of this package of this image. What names neither is about nothing."""
    if not set(statement.ids) & set(record.ids):
        return False
    if not _is_image(statement.product, record.image):
        return not statement.parts and _is_package(statement.product, record)
    return not statement.parts or any(_is_package(part, record) for part in statement.parts)


def _is_image(product: str, image: Image) -> bool:
    digest = _DIGEST.search(unquote(product))
    if digest is not None:
        return digest[0] in image.digests
    purl = purl_of(product)
    if purl is None:
        if not product or product.startswith(("http:", "https:", "urn:")):
            return False
        named = image_of(product)
        return named.repository == image.repository and (":" not in product.rpartition("/")[2] or named.tag == image.tag)
    if not purl.is_image or purl.name.rpartition("/")[2] != image.repository.rpartition("/")[2].lower():
        return False
    place, tag = purl.qualifiers.get("repository_url", ""), purl.qualifiers.get("tag", "") or purl.version
    if place and image_of(place).repository != image.repository:
        return False
    return not tag or tag == image.tag


def _is_package(part: str, record: Record) -> bool:
    """By the purl where the report has one, else by the name and version alone. Qualifiers, such as of the distribution, are not asked."""
    purl = purl_of(part)
    if purl is None or purl.is_image:
        return False
    own = purl_of(record.purl)
    if own is not None:
        return own.name == purl.name and (not purl.version or purl.version == own.version)
    return purl.name.rpartition("/")[2] == record.package.lower() and (not purl.version or purl.version == record.installed)
