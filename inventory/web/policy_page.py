"""What the city decides for itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.policies import CHOICES, DAYS, Policy
from inventory.services.policies import PolicyWish, change_policy, read_policies
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/policies")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
AdminNow = Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)]
_TITLES = {
    Policy.SIGNING: "The receiver signs for issues and transfers",
    Policy.LEVEL_SKIPPING: "Issues may pass over levels",
    Policy.COMPLETION: "A sale is complete",
    Policy.PORT_NOTICE_DAYS: "Days before its last day from which the term of an SMS port counts as ending",
    Policy.PORT_COOLING_DAYS: "Days that an SMS port cools after it was taken back",
}
_VALUES = {
    "optional": "as the giver says",
    "required": "always",
    "refused": "no",
    "allowed": "yes",
    "at_once": "at once",
    "by_network": "when the network has confirmed the card",
}


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader) -> Response:
    """Show what holds, each with a form to change it."""
    return await _page(request, session, caller)


@router.post("/{policy}")
async def decide(
    request: Request, session: SessionDep, caller: AdminNow, write: WriteDep, form: FormDep, now: NowDep, policy: str
) -> Response:
    """Change one policy."""
    wish = PolicyWish(name=policy, value=form.get("value", ""), reason=form.get("reason", ""))
    try:
        await change_policy(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, refusal=refusal)
    return await _page(request, session, caller, done=True)


@router.get("/{policy}", dependencies=[require(Permission.SETUP_READ)])
async def again(policy: str) -> Response:
    """Go to the page: a change is sent, not looked at, but its address may be asked for again (reload, language)."""
    del policy
    return RedirectResponse("/policies", HTTPStatus.SEE_OTHER)


async def _page(
    request: Request, session: SessionDep, caller: Caller, *, refusal: DomainError | None = None, done: bool = False
) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    held = await read_policies(session, caller)
    values = {
        "policies": [
            {
                "name": policy.value,
                "title": gettext(_TITLES[policy]),
                "held": held[policy],
                "choices": [{"value": value, "label": gettext(_VALUES[value])} for value in CHOICES.get(policy, ())],
                "days": DAYS.get(policy),
            }
            for policy in Policy
        ],
        "may_change": caller.may(Permission.ORGANISATION_WRITE),
        "done": gettext("Done.") if done else "",
    }
    return render_form(request, "policies/page.html", values, refusal, caller=caller)
