"""How do other tools read an audit? SARIF 2.1.0, as code scanning and editors show it (OASIS, 2020)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import quote

from asset_gen import __version__
from asset_gen.audit import RULES, Audit, Finding

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""What paths are relative to: the project, as the reader has checked it out."""


def to_sarif(audit: Audit) -> dict[str, Any]:
    """An audit as a SARIF log of one run; findings by file and line."""
    numbers = {rule: number for number, rule in enumerate(RULES)}
    rules = [
        {
            "id": name,
            "shortDescription": {"text": rule.summary},
            "help": {"text": rule.cure},
            "defaultConfiguration": {"level": rule.level},
        }
        for name, rule in RULES.items()
    ]
    findings = sorted(audit.findings, key=lambda finding: (finding.path, finding.line, finding.rule, finding.message))
    run = {
        "tool": {"driver": {"name": "assetgen audit", "semanticVersion": __version__, "rules": rules}},
        "invocations": [{"executionSuccessful": True, "exitCode": 3 if audit.failures else 0}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[finding.rule]) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run]}


def _result(finding: Finding, number: int) -> dict[str, Any]:
    subject = finding.sprite or finding.path.rpartition("/")[2]
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.path), "uriBaseId": ROOT},
            "region": {"startLine": finding.line},
        }
    }
    if finding.sprite:
        place["logicalLocations"] = [{"name": finding.sprite, "kind": "resource"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.level,
        "message": {"text": f"{subject}: {finding.message}. {RULES[finding.rule].cure}"},
        "locations": [place],
        "partialFingerprints": {"subject/v1": _fingerprint(finding)},
    }


def _fingerprint(finding: Finding) -> str:
    """The same for the same trouble, wherever its line has moved to."""
    return sha256(f"{finding.rule}\n{finding.path}\n{finding.sprite or ''}".encode()).hexdigest()[:32]
