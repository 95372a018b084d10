"""`authz explain`: why somebody may do something, or why not, and what is missing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from authz_service.cli.asking import Circumstances, ReferenceType, takes_circumstances
from authz_service.cli.options import takes_settings
from authz_service.decision.account import write_explanation
from authz_service.decision.sentences import write_evidence, write_missing, write_sentence
from authz_service.errors import EXIT_DENY
from authz_service.policy.said import build_checked_request

if TYPE_CHECKING:
    from authz_service.decision.explanation import Explanation, Ground
    from authz_service.settings import Settings
    from authz_service.store.entity import Reference


@click.command()
@click.argument("subject", type=ReferenceType())
@click.argument("action")
@click.argument("resource", type=ReferenceType())
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@takes_circumstances
@takes_settings("database", "policies", "domain", "engine", "time_limit")
def explain(
    settings: Settings,
    *,
    subject: Reference,
    action: str,
    resource: Reference,
    as_json: bool,
    **options: Any,
) -> None:
    """Explain why SUBJECT may do ACTION on RESOURCE, or why not; both are TYPE/ID.

    Shows the rules that answered, which of their conditions hold, the entities that they looked at
    with the revision that wrote them, and the smallest changes after which it would be allowed.
    Exit codes are those of `authz check`.

    \b
    Example:
      authz explain person/mary view_bills subscription/0470000001 --via app
    """
    circumstances = Circumstances(**options)
    with circumstances.open_explainer(settings, subject, resource) as (explainer, schema):
        asked = subject, action, resource, circumstances.all_said
        explanation = explainer.explain(build_checked_request(schema, *asked))
    if as_json:
        click.echo(json.dumps(write_explanation(explanation), indent=2, ensure_ascii=False))
    else:
        _show(explanation)
    if not explanation.decision.allowed:
        sys.exit(EXIT_DENY)


def _show(explanation: Explanation) -> None:
    click.secho("allow" if explanation.decision.allowed else "deny", bold=True)
    click.echo(write_sentence(explanation))
    for ground in explanation.forbidding:
        _show_ground(f"forbidden, {ground.code}", ground)
    for ground in explanation.permitting:
        _show_ground("permitted" if ground.holds else "not permitted", ground)
    if explanation.missing:
        click.echo("\nfor another answer, one of these")
    for each in explanation.missing:
        click.echo(f"  - {write_missing(each, explanation.request.subject)}")


def _show_ground(title: str, ground: Ground) -> None:
    click.echo(f"\n{title}")
    for rule in ground.rules:
        click.echo(f"  {rule.place}" + (f"  {rule.comment}" if rule.comment else ""))
        for line in rule.text.splitlines():
            click.secho(f"    {line}", dim=True)
    for condition in ground.conditions:
        mark, color = ("yes", "green") if condition.holds else ("no ", "red")
        click.echo(f"    {click.style(mark, fg=color)} {condition.text}")
    for each in ground.evidence:
        click.echo(f"    {write_evidence(each)}")
