"""Small documents in the forms that scanners, VEX authors, CISA and FIRST write."""

import json

from core.domain.values import Json

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32
SHOP = "registry.example/shop/web"


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def found(
    name: str, package: str = "libssl3", installed: str = "3.0.1", fixed: str = "3.0.9", severity: str = "HIGH", score: float = 8.1
) -> Json:
    purl = f"pkg:deb/debian/{package}@{installed}?arch=amd64"
    return {
        "VulnerabilityID": name,
        "PkgName": package,
        "PkgIdentifier": {"PURL": purl},
        "InstalledVersion": installed,
        "FixedVersion": fixed,
        "Severity": severity,
        "Title": f"{package}: a fault",
        "CVSS": {"nvd": {"V3Score": score, "V2Score": 5.0}, "vendor": {"V3Score": 2.0}},
    }


def trivy(*items: object, image: str = f"{SHOP}:1.4", digest: str = DIGEST) -> Json:
    """As `trivy image -f json` writes it."""
    metadata = {"RepoTags": [image], "RepoDigests": [f"{SHOP}@{digest}"] if digest else []}
    results = [{"Target": f"{image} (debian 12.5)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": list(items)}]
    return {"SchemaVersion": 2, "ArtifactName": image, "ArtifactType": "container_image", "Metadata": metadata, "Results": results}


def grype() -> Json:
    """As `grype -o json` writes it: an advisory of a language, with the CVE beside it."""
    match = {
        "vulnerability": {
            "id": "GHSA-aaaa-bbbb-cccc",
            "severity": "Critical",
            "description": "A request may run code",
            "fix": {"versions": ["2.4.1"], "state": "fixed"},
            "cvss": [{"version": "3.1", "metrics": {"baseScore": 9.8}}],
        },
        "relatedVulnerabilities": [{"id": "CVE-2026-1111", "cvss": []}],
        "artifact": {"name": "parser", "version": "2.3.0", "type": "npm", "purl": "pkg:npm/parser@2.3.0"},
    }
    target = {"userInput": f"{SHOP}:1.4", "imageID": OTHER, "manifestDigest": OTHER, "repoDigests": [f"{SHOP}@{DIGEST}"]}
    return {"matches": [match], "source": {"type": "image", "target": target}, "descriptor": {"name": "grype"}}


def report(**artifact: str) -> Json:
    """A VulnerabilityReport object of trivy-operator."""
    item = {
        "vulnerabilityID": "CVE-2026-2222",
        "resource": "zlib1g",
        "installedVersion": "1.2.13",
        "fixedVersion": "",
        "severity": "MEDIUM",
        "score": 6.5,
        "title": "zlib: a fault",
        "packagePURL": "pkg:deb/debian/zlib1g@1.2.13",
    }
    known = {"repository": "library/nginx", "tag": "1.16", **artifact}
    return {
        "apiVersion": "aquasecurity.github.io/v1alpha1",
        "kind": "VulnerabilityReport",
        "metadata": {"name": "replicaset-web-nginx", "namespace": "shop"},
        "report": {"artifact": known, "registry": {"server": "index.docker.io"}, "vulnerabilities": [item]},
    }


def sarif() -> Json:
    """As Trivy writes it: the package stands in the message, the score with the rule."""
    rule = {
        "id": "CVE-2026-3333",
        "shortDescription": {"text": "curl: a fault"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"security-severity": "7.5", "tags": ["vulnerability"]},
    }
    said = "Package: curl\nInstalled Version: 8.1.0\nVulnerability CVE-2026-3333\nSeverity: HIGH\nFixed Version: 8.2.1\nLink: x"
    result = {"ruleId": "CVE-2026-3333", "ruleIndex": 0, "level": "error", "message": {"text": said}}
    properties = {"imageName": f"{SHOP}:1.4", "repoDigests": [f"{SHOP}@{DIGEST}"]}
    run = {"tool": {"driver": {"name": "Trivy", "rules": [rule]}}, "results": [result], "properties": properties}
    return {"version": "2.1.0", "$schema": "https://example.org/sarif-2.1.0.json", "runs": [run]}


def openvex(status: str = "not_affected", product: str = f"pkg:oci/web@{DIGEST}", at: str = "2026-11-01T00:00:00Z", **more: object) -> Json:
    why = {"justification": "vulnerable_code_not_in_execute_path"} if status == "not_affected" else {}
    statement = {"vulnerability": {"name": "CVE-2026-0001"}, "products": [{"@id": product}], "status": status, **why, **more}
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "the shop team",
        "timestamp": at,
        "version": 1,
        "statements": [statement],
    }


def cyclonedx(state: str = "not_affected", ref: str = "web") -> Json:
    analysis = {"state": state, "justification": "code_not_reachable", "detail": "the module is never loaded"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {
            "timestamp": "2026-11-02T00:00:00Z",
            "component": {"bom-ref": "web", "type": "container", "name": "web", "purl": f"pkg:oci/web@{DIGEST}"},
        },
        "components": [{"bom-ref": "ssl", "type": "library", "name": "libssl3", "purl": "pkg:deb/debian/libssl3@3.0.1"}],
        "vulnerabilities": [{"id": "CVE-2026-0001", "analysis": analysis, "affects": [{"ref": ref}]}],
    }


KEV: Json = {
    "title": "Known exploited",
    "catalogVersion": "2026.11.19",
    "dateReleased": "2026-11-19T15:00:00.000Z",
    "vulnerabilities": [{"cveID": "CVE-2026-1111", "dateAdded": "2026-11-03", "knownRansomwareCampaignUse": "Known"}],
}
EPSS = (
    b"#model_version:v2026.03.01,score_date:2026-11-20T00:00:00+0000\n"
    b"cve,epss,percentile\nCVE-2026-0001,0.42,0.97\nCVE-2026-1111,0.93,0.99\n"
)
