"""Who may not: callers, interfaces, hours, scopes, second persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inventory.domain.errors.base import DomainError, Refusal

if TYPE_CHECKING:
    from inventory.domain.approvals import Demand


class UnknownInterface(DomainError):
    """The interface number is unknown or closed (`interface`)."""

    code = "unknown_interface"
    refusal = Refusal.UNAUTHENTICATED
    message = "Interface {interface} is not known or is closed; use the interface number you were given"


class BadCredentials(DomainError):
    """Wrong secret, or staff, interface and secret do not fit; says no more on purpose."""

    code = "bad_credentials"
    refusal = Refusal.UNAUTHENTICATED
    message = "The staff id, interface number and secret do not belong together"


class InterfaceClosed(DomainError):
    """An administrator's act on an interface that is closed (`interface`)."""

    code = "interface_closed"
    refusal = Refusal.CONFLICT
    message = "Interface {interface} is closed for good; grant another"


class BuiltInInterface(DomainError):
    """The built-in interface of direct users cannot be closed or renumbered (`interface`, REQ-IF-05)."""

    code = "built_in_interface"
    refusal = Refusal.CONFLICT
    message = "Interface {interface} is built in and stays; close one of the others"


class TooManySignIns(DomainError):
    """A staff id failed to sign in too often (`minutes`: how long the failures count)."""

    code = "too_many_sign_ins"
    refusal = Refusal.TOO_OFTEN
    message = "Too many failed sign-ins; wait {minutes} minutes, then try again"


class OutsideWorkingHours(DomainError):
    """A writing call outside the working window (`opens`, `closes`: the next opening and its end)."""

    code = "outside_working_hours"
    refusal = Refusal.FORBIDDEN
    message = "Closed now; this may be done between {opens} and {closes}"


class PermissionDenied(DomainError):
    """The caller's role lacks a permission (`permission`)."""

    code = "permission_denied"
    refusal = Refusal.FORBIDDEN
    message = "This needs the permission {permission}; ask a superior"


class OutsideScope(DomainError):
    """An organisation or item outside the caller's subtree (`what`)."""

    code = "outside_scope"
    refusal = Refusal.FORBIDDEN
    message = "{what} is not in your part of the organisation"


class SamePerson(DomainError):
    """The approver equals the requester."""

    code = "same_person"
    refusal = Refusal.FORBIDDEN
    message = "The one who asks cannot approve; a second person must"


class ApprovalNeeded(DomainError):
    """An act for two persons came without an approval (`act`, `permission`: what the second person must hold)."""

    code = "approval_needed"
    refusal = Refusal.FORBIDDEN
    message = "{act} needs a second person with the permission {permission}; ask for an approval and send its id"

    def __init__(self, demand: Demand | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.demand = demand
        """What has to be asked for."""


class ApprovalNotGranted(DomainError):
    """An approval that nobody granted, or that is used up or over (`approval`, `state`)."""

    code = "approval_not_granted"
    refusal = Refusal.CONFLICT
    message = "Approval {approval} is {state} and cannot be used; wait for the answer or ask anew"


class ApprovalDiffers(DomainError):
    """The act is not the one that was granted: another wish, or the items have changed since (`approval`)."""

    code = "approval_differs"
    refusal = Refusal.CONFLICT
    message = "Approval {approval} was given for something else, or the items have changed since; ask anew"


class OrganisationUnknown(DomainError):
    """An organisation id that no one has (`organisation`)."""

    code = "organisation_unknown"
    refusal = Refusal.NOT_FOUND
    message = "Organisation {organisation} is not known; check its id"
