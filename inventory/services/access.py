"""Let callers in: by API key, by session token, by password; every refusal comes before any effect and is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.cache import CallerCache
from inventory.access.caller import Admission, Caller
from inventory.access.hours import Window, WorkingHours
from inventory.access.interfaces import CHANNELS, InterfaceKind
from inventory.access.passwords import KEY_PREFIX, SESSION_PREFIX, digest, fresh_secret, password_fits
from inventory.access.permissions import Permission, Role
from inventory.domain.calendar import business_day
from inventory.domain.errors import (
    BadCredentials,
    DomainError,
    OutsideWorkingHours,
    PermissionDenied,
    TooManySignIns,
    UnknownInterface,
)
from inventory.domain.holds import HoldPolicy
from inventory.store import access as store
from inventory.store.hold_times import as_rules

_LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Presented:
    """What a request shows: interface number, staff id and secret (REQ-IF-03); `origin` says where from, for the log.

    A page shows its session cookie alone, as `secret` with `from_page`: the session names interface and staff.
    """

    interface_no: str | None = None
    staff_no: str | None = None
    secret: str | None = field(default=None, repr=False)
    from_page: bool = False
    origin: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a route needs: a permission, and whether it changes something or finishes work begun (REQ-IF-11)."""

    permission: Permission
    writes: bool = False
    finishing: timedelta | None = None


async def admit(
    session: AsyncSession, cache: CallerCache, presented: Presented, need: Need, *, now: datetime
) -> Caller:
    """Return the caller if its secret fits, its role may and its hours allow; otherwise keep the refusal and refuse.

    Raises
    ------
    UnknownInterface
        The interface number is missing, unknown or disabled (REQ-IF-04).
    BadCredentials
        Staff id, interface and secret do not belong together, or the session is over.
    PermissionDenied
        The role lacks the permission.
    OutsideWorkingHours
        A write, or a read where windows forbid it, outside the hours (REQ-IF-06).
    """
    try:
        admission = await _identify(session, cache, presented, now=now)
        _check(admission, need, now=now)
    except DomainError as refusal:
        await _refuse(session, presented, refusal, now=now)
    return admission.caller


@dataclass(frozen=True, kw_only=True)
class SignInWish:
    """A person's sign-in."""

    interface_no: str
    staff_no: str
    password: str = field(repr=False)
    origin: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SignInRules:
    """How long a sign-in lasts, and how many failures within `wait` make a staff id wait."""

    lasts: timedelta
    failures: int
    wait: timedelta


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: its token is shown once and kept only as a digest."""

    token: str = field(repr=False)
    expires_at: datetime
    caller: Caller


async def sign_in(session: AsyncSession, wish: SignInWish, rules: SignInRules, *, now: datetime) -> SignedIn:
    """Open a session for staff id, password and interface number (REQ-IF-03).

    Raises
    ------
    TooManySignIns
        The staff id failed too often of late; the right password is refused too until the time is over.
    UnknownInterface
        The interface number is unknown or disabled.
    BadCredentials
        Staff id, password and interface do not belong together.
    """
    staff_id = await check_password(session, wish, rules, now=now)
    presented = Presented(interface_no=wish.interface_no, staff_no=wish.staff_no, origin=wish.origin)
    try:
        token = fresh_secret(SESSION_PREFIX)
        expires_at = now + rules.lasts
        async with session.begin():
            await store.open_session(
                session,
                sha256=digest(token),
                staff_id=staff_id,
                interface_no=wish.interface_no,
                now=now,
                expires_at=expires_at,
            )
            known = await store.caller_by_session(session, digest(token), now=now)
            if known is None:  # closed between the two looks
                raise BadCredentials
    except DomainError as refusal:
        await _refuse(session, presented, refusal, now=now)
    return SignedIn(token, expires_at, _caller(known))


async def check_password(session: AsyncSession, wish: SignInWish, rules: SignInRules, *, now: datetime) -> int:
    """Return the staff's row number if the password is right; otherwise keep the refusal and refuse.

    Raises
    ------
    TooManySignIns, UnknownInterface, BadCredentials
        As `sign_in`.
    """
    presented = Presented(interface_no=wish.interface_no, staff_no=wish.staff_no, origin=wish.origin)
    try:
        return await _staff_of(session, wish, rules, now=now)
    except DomainError as refusal:
        await _refuse(session, presented, refusal, now=now)


async def vouch(session: AsyncSession, wish: SignInWish, rules: SignInRules, need: Need, *, now: datetime) -> Caller:
    """Return who types its staff id and password at another one's screen; no session is opened.

    Failures count and are kept like failed sign-ins.

    Raises
    ------
    TooManySignIns, UnknownInterface, BadCredentials
        As `sign_in`.
    PermissionDenied, OutsideWorkingHours
        As `admit`.
    """
    await check_password(session, wish, rules, now=now)
    presented = Presented(interface_no=wish.interface_no, staff_no=wish.staff_no, origin=wish.origin)
    try:
        async with session.begin():
            known = await store.caller_at(session, interface_no=wish.interface_no, staff_no=wish.staff_no)
            if known is None:  # closed between the two looks
                raise BadCredentials
            admission = Admission(_caller(known), await _hours(session, known, now=now))
        _check(admission, need, now=now)
    except DomainError as refusal:
        await _refuse(session, presented, refusal, now=now)
    return admission.caller


async def caller_of(session: AsyncSession, *, interface_no: str, staff_no: str) -> Caller | None:
    """Return a staff id at an interface as a caller, for work that goes on by itself; None if it may no longer act."""
    known = await store.caller_at(session, interface_no=interface_no, staff_no=staff_no)
    return None if known is None else _caller(known)


async def hours_of(session: AsyncSession, caller: Caller, *, now: datetime) -> WorkingHours:
    """Return the working hours of a caller that was let in to look."""
    async with session.begin():
        return await _hours(session, caller, now=now)


async def narrow(
    session: AsyncSession, cache: CallerCache, token: str, role: Role, lasts: timedelta, *, now: datetime
) -> SignedIn:
    """End the session of the token and open another one of the same person that may do only what the role may.

    Raises
    ------
    BadCredentials
        The session is over.
    """
    async with session.begin():
        known = await store.caller_by_session(session, digest(token), now=now)
        staff = None
        if known is not None:
            staff = await store.staff_at(session, interface_no=known.interface_no, staff_no=known.staff_no)
        if known is None or staff is None:
            raise BadCredentials
        await store.close_session(session, digest(token), now=now)
        fresh = fresh_secret(SESSION_PREFIX)
        await store.open_session(
            session, sha256=digest(fresh), staff_id=staff.id, interface_no=known.interface_no, now=now,
            expires_at=now + lasts, role=role,
        )  # fmt: skip
    cache.clear()
    return SignedIn(fresh, now + lasts, replace(_caller(known), role=role))


async def sign_out(session: AsyncSession, cache: CallerCache, token: str, *, now: datetime) -> None:
    """End the session of the token; again is harmless."""
    async with session.begin():
        await store.close_session(session, digest(token), now=now)
    cache.clear()


async def _staff_of(session: AsyncSession, wish: SignInWish, rules: SignInRules, *, now: datetime) -> int:
    """Return the staff's row id if the password fits."""
    async with session.begin():
        failures = await store.count_refusals(
            session, code=BadCredentials.code, staff_no=_shown(wish.staff_no) or "", since=now - rules.wait
        )
        known_interface = await store.interface_is_open(session, wish.interface_no)
        staff = await store.staff_at(session, interface_no=wish.interface_no, staff_no=wish.staff_no)
    if failures >= rules.failures:
        raise TooManySignIns(minutes=int(rules.wait.total_seconds() // 60))
    if not known_interface:
        raise UnknownInterface(interface=_shown(wish.interface_no))
    fits = await password_fits(staff.password_hash if staff else None, wish.password)
    if staff is None or not fits:
        raise BadCredentials
    return staff.id


async def _identify(session: AsyncSession, cache: CallerCache, presented: Presented, *, now: datetime) -> Admission:
    """Find whom the secret belongs to; the digest is looked up by index, so the time tells nothing of the secret."""
    if not presented.from_page and not presented.interface_no:
        raise UnknownInterface(interface="-")
    sha256 = digest(presented.secret or "")
    key = (sha256, presented.interface_no, presented.staff_no)
    admission = cache.get(key, now=now)
    if admission is not None:
        return admission
    async with session.begin():
        known = await _look_up(session, presented, sha256, now=now)
        named = (presented.interface_no, presented.staff_no)
        if known is None or (not presented.from_page and named != (known.interface_no, known.staff_no)):
            if presented.interface_no and not await store.interface_is_open(session, presented.interface_no):
                raise UnknownInterface(interface=_shown(presented.interface_no))
            raise BadCredentials
        admission = Admission(_caller(known), await _hours(session, known, now=now))
    cache.put(key, admission, now=now)
    return admission


async def _look_up(
    session: AsyncSession, presented: Presented, sha256: bytes, *, now: datetime
) -> store.KnownCaller | None:
    secret = presented.secret or ""
    if secret.startswith(SESSION_PREFIX):
        return await store.caller_by_session(session, sha256, now=now)
    if secret.startswith(KEY_PREFIX) and not presented.from_page:
        return await store.caller_by_key(session, sha256)
    return None


async def _hours(session: AsyncSession, known: store.KnownCaller | Caller, *, now: datetime) -> WorkingHours:
    rows = await store.windows(session, city_id=known.city_id, interface_no=known.interface_no, role=known.role)
    if not rows:
        return WorkingHours()
    yesterday = business_day(now) - timedelta(days=1)
    return WorkingHours(
        tuple(_window(row) for row in rows if row.interface_no is not None),
        tuple(_window(row) for row in rows if row.role is not None),
        await store.holidays_from(session, yesterday, city_id=known.city_id),
    )


def _window(row: store.WindowRow) -> Window:
    return Window(
        weekdays=row.weekdays,
        opens=row.opens,
        closes=row.closes,
        on_holidays=row.on_holidays,
        reading_outside=row.reading_outside,
    )


def _check(admission: Admission, need: Need, *, now: datetime) -> None:
    if not admission.caller.may(need.permission):
        raise PermissionDenied(permission=need.permission.value)
    hours = admission.hours
    allowed = hours.is_open(now, finishing=need.finishing or timedelta()) if need.writes else hours.may_read(now)
    if not allowed:
        opens, closes = hours.next_opening(now) or (None, None)
        raise OutsideWorkingHours(opens=opens, closes=closes)


async def _refuse(session: AsyncSession, presented: Presented, refusal: DomainError, *, now: datetime) -> NoReturn:
    """Keep the refusal in a transaction of its own, then raise it."""
    async with session.begin():
        await store.record_refusal(
            session,
            code=refusal.code,
            interface_no=_shown(presented.interface_no),
            staff_no=_shown(presented.staff_no),
            detail=presented.origin,
            now=now,
        )
    raise refusal


def _shown(text: str | None) -> str | None:
    """Return what is kept of a name that nobody has checked: printable and short."""
    return None if text is None else "".join(char for char in text if char.isprintable())[:_LONGEST_NAME]


def _caller(known: store.KnownCaller) -> Caller:
    return Caller(
        interface_no=known.interface_no,
        staff_no=known.staff_no,
        role=Role(known.role),
        city_id=known.city_id,
        org_id=known.org_id,
        scope=frozenset(known.scope),
        pools=frozenset(known.pools),
        channel=CHANNELS[InterfaceKind(known.channel)].value,
        language=known.language,
        hold_policy=HoldPolicy.of_city(as_rules(known.hold_times)),
    )
