"""The tables against a second listing written from the state tables by hand: `FROM event TO`, one move a line."""

from enum import StrEnum
from itertools import product
from typing import Any, NamedTuple

import pytest

from inventory.domain.errors import IllegalTransition
from inventory.domain.lifecycle import (
    APPROVAL_LIFECYCLE,
    AUC_LIFECYCLE,
    BULK_ORDER_LIFECYCLE,
    CODE_LIFECYCLE,
    DATA_LIFECYCLE,
    HOLD_LIFECYCLE,
    IDENTITY_LIFECYCLE,
    KIOSK_LIFECYCLE,
    LOAD_LIFECYCLE,
    NUMBER_LIFECYCLE,
    NUMBER_MOVABLE_DOWN,
    NUMBER_MOVABLE_UP,
    PORT_LIFECYCLE,
    SIM_LIFECYCLE,
    SIM_MOVABLE_DOWN,
    SIM_MOVABLE_UP,
    SIM_WITH_CUSTOMER,
    SIM_WRITE_UNSETTLED,
    WRITE_JOB_DELIVERED,
    WRITE_JOB_LIFECYCLE,
    WRITE_JOB_OPEN,
    ApprovalEvent,
    ApprovalState,
    AucEvent,
    AucState,
    BulkOrderEvent,
    BulkOrderState,
    CodeEvent,
    CodeState,
    DataEvent,
    DataState,
    HoldEvent,
    HoldState,
    IdentityEvent,
    IdentityState,
    KioskEvent,
    KioskState,
    Lifecycle,
    LoadEvent,
    LoadState,
    NumberEvent,
    NumberState,
    PortEvent,
    PortState,
    SimEvent,
    SimState,
    WriteJobEvent,
    WriteJobState,
)

NUMBER_ROWS = """
- INTAKE UNUSED
- PORT_IN PORTING_IN
UNUSED HOLD HELD
UNUSED BOOK_DIRECT BOOKED
UNUSED WITHDRAW RECYCLED
UNUSED DISABLE DISABLED
HELD RELEASE UNUSED
HELD EXPIRE UNUSED
HELD EXTEND HELD
HELD BOOK BOOKED
HELD CONFIRM COMPLETING
HELD CHANGE_TO COMPLETING
BOOKED CANCEL_BOOKING UNUSED
BOOKED EXPIRE UNUSED
BOOKED CONFIRM COMPLETING
BOOKED CHANGE_TO COMPLETING
COMPLETING COMPLETE IN_USE
COMPLETING ROLL_BACK HELD
IN_USE CANCEL FROZEN
IN_USE CHANGE_AWAY FROZEN
IN_USE PORT_OUT PORTED_OUT
IN_USE GIVE_BACK RETURN_PENDING
IN_USE CHANGE_AWAY_PORTED RETURN_PENDING
FROZEN RESTORE COMPLETING
FROZEN QUARANTINE_OVER RECYCLED
RECYCLED STATUS_RELEASE UNUSED
RECYCLED DISABLE DISABLED
RECYCLED VOID VOID
DISABLED ENABLE RECYCLED
DISABLED VOID VOID
PORTING_IN PORT_IN_ACCEPTED COMPLETING
PORTING_IN PORT_IN_FAILED RETURNED
PORTING_IN WIN_BACK_FAILED PORTED_OUT
PORTED_OUT COME_BACK FROZEN
PORTED_OUT PORT_IN PORTING_IN
RETURN_PENDING RETURN_ACKNOWLEDGED RETURNED
RETURNED PORT_IN PORTING_IN
"""

SIM_ROWS = """
- INTAKE AVAILABLE
AVAILABLE HOLD HELD
AVAILABLE FOUND_DAMAGED DAMAGED
AVAILABLE LOSE LOST
AVAILABLE DISABLE DISABLED
AVAILABLE SCRAP_EXPIRED SCRAPPED
AVAILABLE RETURN_TO_VENDOR RETURNED_TO_VENDOR
AVAILABLE VOID VOIDED
AVAILABLE SEND_AWAY SENT_AWAY
HELD RELEASE AVAILABLE
HELD EXPIRE AVAILABLE
HELD START_WRITE WRITING
HELD FOUND_DAMAGED DAMAGED
HELD CONFIRM_FINISHED COMPLETING
HELD LOSE LOST
HELD DISABLE DISABLED
WRITING PROVEN WRITTEN
WRITING NOTHING_WRITTEN HELD
WRITING NOTHING_WRITTEN_HOLD_GONE AVAILABLE
WRITING SPOILED DAMAGED
WRITING OUTCOME_UNKNOWN WRITE_UNKNOWN
WRITE_UNKNOWN PROVEN WRITTEN
WRITE_UNKNOWN NOTHING_WRITTEN HELD
WRITE_UNKNOWN NOTHING_WRITTEN_HOLD_GONE AVAILABLE
WRITE_UNKNOWN SPOILED DAMAGED
WRITE_UNKNOWN DECLARE_DEAD DAMAGED
WRITE_UNKNOWN DECLARE_GONE LOST
WRITTEN CONFIRM COMPLETING
WRITTEN KEEP_FINISHED AVAILABLE
WRITTEN SHIP SHIPPED
WRITTEN NOT_BROUGHT_BACK LOST
WRITTEN DISABLE DISABLED
SHIPPED SHIPMENT_BACK WRITTEN
SHIPPED NOT_BROUGHT_BACK LOST
COMPLETING COMPLETE IN_USE
COMPLETING ROLL_BACK WRITTEN
COMPLETING ROLL_BACK_FINISHED HELD
IN_USE REPLACE REPLACED
IN_USE REPORT_LOSS REPORTED_LOST
IN_USE RETIRE RETIRED
REPORTED_LOST REPLACE REPLACED
REPORTED_LOST WITHDRAW_LOSS IN_USE
REPORTED_LOST RETIRE RETIRED
REPLACED LOSE LOST
REPLACED DISABLE DISABLED
REPLACED SCRAP SCRAPPED
DAMAGED LOSE LOST
DAMAGED DISABLE DISABLED
DAMAGED STATUS_RELEASE AVAILABLE
DAMAGED SCRAP SCRAPPED
DAMAGED RETURN_TO_VENDOR RETURNED_TO_VENDOR
DISABLED LOSE LOST
DISABLED STATUS_RELEASE AVAILABLE
DISABLED SCRAP SCRAPPED
LOST STATUS_RELEASE AVAILABLE
LOST WRITE_OFF WRITTEN_OFF
"""

DATA_ROWS = """
- INTAKE FREE
- INTAKE_FINISHED BOUND
- FETCH LEASED
FREE RESERVE RESERVED
FREE WITHDRAW RETIRED
RESERVED RELEASE FREE
RESERVED LEASE LEASED
LEASED NEVER_DELIVERED FREE
LEASED READ_BLANK FREE
LEASED PROVEN BOUND
LEASED QUARANTINE QUARANTINED
LEASED CONSUME RETIRED
QUARANTINED PROVEN BOUND
QUARANTINED READ_BLANK FREE
QUARANTINED CARD_GONE RETIRED
QUARANTINED CONSUME RETIRED
BOUND NETWORK_DELETED RETIRED
"""

AUC_ROWS = """
- CREATE none
none SEND sent
none DELETE deleted
sent CONFIRM confirmed
sent FAIL failed
sent DELETE deleted
confirmed DELETE deleted
failed SEND sent
failed CONFIRM confirmed
failed DELETE deleted
"""

IDENTITY_ROWS = """
- INTAKE NONE
- INTAKE_FINISHED VERIFIED
NONE LEASE LEASED
LEASED TAKE_BACK NONE
LEASED WRITE WRITTEN
WRITTEN VERIFY VERIFIED
"""

HOLD_ROWS = """
- HOLD ACTIVE
- BOOK_DIRECT BOOKED
ACTIVE EXTEND ACTIVE
ACTIVE BOOK BOOKED
ACTIVE CONFIRM CONFIRMED
ACTIVE RELEASE RELEASED
ACTIVE EXPIRE EXPIRED
BOOKED CONFIRM CONFIRMED
BOOKED RELEASE RELEASED
BOOKED EXPIRE EXPIRED
CONFIRMED ROLL_BACK ROLLED_BACK
"""

WRITE_JOB_ROWS = """
- CREATE created
created IDENTIFY identifying
created CANCEL cancelled
identifying DELIVER_WRITE writing
identifying NOTHING_WRITTEN nothing_written
identifying CANCEL cancelled
writing DELIVER_VERIFY verifying
writing NOTHING_WRITTEN nothing_written
writing DAMAGED damaged
writing UNKNOWN unknown
verifying VERIFIED verified
verifying NOTHING_WRITTEN nothing_written
verifying DAMAGED damaged
verifying UNKNOWN unknown
unknown VERIFIED verified
unknown NOTHING_WRITTEN nothing_written
unknown DAMAGED damaged
"""


APPROVAL_ROWS = """
- ASK ASKED
ASKED GRANT GRANTED
ASKED REFUSE REFUSED
ASKED WITHDRAW WITHDRAWN
ASKED EXPIRE EXPIRED
GRANTED USE USED
GRANTED WITHDRAW WITHDRAWN
GRANTED EXPIRE EXPIRED
"""


PORT_ROWS = """
- INTAKE FREE
FREE RENT RENTED
FREE VOID VOID
RENTED EXTEND_TERM RENTED
RENTED END_RENT COOLING
COOLING COOLED FREE
"""


CODE_ROWS = """
- INTAKE IDLE
IDLE OPEN IN_SERVICE
IDLE VOID VOID
IN_SERVICE SUSPEND SUSPENDED
IN_SERVICE CLOSE IDLE
SUSPENDED RESUME IN_SERVICE
SUSPENDED CLOSE IDLE
"""


LOAD_ROWS = """
- START RUNNING
- TRY TRYING
RUNNING TAKE COMMITTED
RUNNING REFUSE REJECTED
RUNNING CANCEL CANCELLED
RUNNING FAIL FAILED
TRYING FIND TRIED
TRYING REFUSE REJECTED
TRYING CANCEL CANCELLED
TRYING FAIL FAILED
COMMITTED UNDO UNDONE
"""


KIOSK_ROWS = """
- CHOOSE waiting
waiting SERVE serving
waiting LEAVE left
waiting STOP stopped
serving SELL sold
serving STOP stopped
sold TAKE done
sold TAKE_BACK taken_back
taken_back TAKE done
"""


BULK_ORDER_ROWS = """
- OPEN RUNNING
RUNNING PAUSE PAUSED
RUNNING FINISH DONE
RUNNING RUN_OUT EXHAUSTED
RUNNING CANCEL CANCELLED
PAUSED RESUME RUNNING
PAUSED FINISH DONE
PAUSED CANCEL CANCELLED
"""


class Case(NamedTuple):
    lifecycle: Lifecycle[Any, Any]
    states: type[StrEnum]
    events: type[StrEnum]
    rows: str

    def moves(self) -> dict[tuple[str, str], str]:
        return {(source, event): target for source, event, target in map(str.split, self.rows.split("\n")[1:-1])}


CASES = {
    "number": Case(NUMBER_LIFECYCLE, NumberState, NumberEvent, NUMBER_ROWS),
    "port": Case(PORT_LIFECYCLE, PortState, PortEvent, PORT_ROWS),
    "code": Case(CODE_LIFECYCLE, CodeState, CodeEvent, CODE_ROWS),
    "sim": Case(SIM_LIFECYCLE, SimState, SimEvent, SIM_ROWS),
    "data": Case(DATA_LIFECYCLE, DataState, DataEvent, DATA_ROWS),
    "auc": Case(AUC_LIFECYCLE, AucState, AucEvent, AUC_ROWS),
    "identity": Case(IDENTITY_LIFECYCLE, IdentityState, IdentityEvent, IDENTITY_ROWS),
    "hold": Case(HOLD_LIFECYCLE, HoldState, HoldEvent, HOLD_ROWS),
    "load": Case(LOAD_LIFECYCLE, LoadState, LoadEvent, LOAD_ROWS),
    "write job": Case(WRITE_JOB_LIFECYCLE, WriteJobState, WriteJobEvent, WRITE_JOB_ROWS),
    "bulk order": Case(BULK_ORDER_LIFECYCLE, BulkOrderState, BulkOrderEvent, BULK_ORDER_ROWS),
    "sale at a machine": Case(KIOSK_LIFECYCLE, KioskState, KioskEvent, KIOSK_ROWS),
    "approval": Case(APPROVAL_LIFECYCLE, ApprovalState, ApprovalEvent, APPROVAL_ROWS),
}

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_the_table_is_the_listing(case: Case) -> None:
    table = {(str(source), str(event)): str(target) for (source, event), target in case.lifecycle.table.items()}
    entries = {("-", str(event)): str(target) for event, target in case.lifecycle.entries.items()}
    assert table | entries == case.moves()


@every_case
def test_every_listed_move_is_made_and_every_other_pair_is_refused(case: Case) -> None:
    """REQ-NUM-10: only the transitions of the table are possible; every other pair is refused with a named error."""
    moves = case.moves()
    for state, event in product(case.states, case.events):
        if (state, event) in moves:
            assert case.lifecycle.advance(state, event) == moves[state, event]
        else:
            with pytest.raises(IllegalTransition) as refused:
                case.lifecycle.advance(state, event)
            assert refused.value.params == {"state": state, "event": event}


@every_case
def test_an_item_enters_only_by_an_entry_event(case: Case) -> None:
    moves = case.moves()
    for event in case.events:
        if ("-", event) in moves:
            assert case.lifecycle.enter(event) == moves["-", event]
        else:
            with pytest.raises(IllegalTransition, match="NONE"):
                case.lifecycle.enter(event)


@every_case
def test_every_state_can_be_reached_and_has_both_names(case: Case) -> None:
    reached = set(case.lifecycle.entries.values()) | set(case.lifecycle.table.values())
    assert reached == set(case.states) == set(case.lifecycle.names)
    assert case.lifecycle.initial in case.lifecycle.entries.values()
    assert len({name.zh for name in case.lifecycle.names.values()}) == len(case.states)
    assert all(name.en for name in case.lifecycle.names.values())


@every_case
def test_every_event_has_a_move(case: Case) -> None:
    used = {event for _, event in case.moves()}
    assert used == set(case.events)


def test_the_five_states_of_the_documents_carry_their_chinese_names() -> None:
    """REQ-NUM-09: unused, disabled, recycled, held and booked exist with these Chinese names."""
    names = NUMBER_LIFECYCLE.names
    states = (NumberState.UNUSED, NumberState.DISABLED, NumberState.RECYCLED, NumberState.HELD, NumberState.BOOKED)
    assert [names[state].zh for state in states] == ["未用", "禁用", "回收", "预占", "预定"]


def test_there_are_thirteen_number_states_and_nineteen_card_states() -> None:
    assert len(NumberState) == 13
    assert len(SimState) == 19


def test_a_number_in_use_is_unused_again_only_through_quarantine() -> None:
    """REQ-CMP-01: no path leads from IN_USE to UNUSED except through FROZEN (the date is the service's guard)."""
    allowed = {NumberState.COMPLETING, NumberState.PORTED_OUT, NumberState.RETURN_PENDING, NumberState.RETURNED}
    reached, front = set(), [NumberState.IN_USE]
    while front:
        state = front.pop()
        for (source, event), target in NUMBER_LIFECYCLE.table.items():
            # A roll back undoes a connection that never was; a frozen number is where this walk stops.
            if source is not state or target in reached or event is NumberEvent.ROLL_BACK:
                continue
            reached.add(target)
            if target is not NumberState.FROZEN:
                front.append(target)
    assert NumberState.FROZEN in reached
    assert NumberState.UNUSED not in reached
    assert reached - {NumberState.FROZEN, NumberState.PORTING_IN, NumberState.IN_USE} <= allowed


def test_what_is_final_stays_final() -> None:
    assert NUMBER_LIFECYCLE.terminal == {NumberState.VOID}
    assert SIM_LIFECYCLE.terminal == {
        SimState.RETIRED,
        SimState.SCRAPPED,
        SimState.WRITTEN_OFF,
        SimState.RETURNED_TO_VENDOR,
        SimState.VOIDED,
        SimState.SENT_AWAY,
    }
    assert DATA_LIFECYCLE.terminal == {DataState.RETIRED}


def test_data_that_may_be_on_a_card_becomes_free_only_by_reading_that_card() -> None:
    to_free = {(source, event) for (source, event), target in DATA_LIFECYCLE.table.items() if target is DataState.FREE}
    assert to_free == {
        (DataState.RESERVED, DataEvent.RELEASE),
        (DataState.LEASED, DataEvent.NEVER_DELIVERED),
        (DataState.LEASED, DataEvent.READ_BLANK),
        (DataState.QUARANTINED, DataEvent.READ_BLANK),
    }


def test_numbers_move_only_while_nobody_was_promised_them() -> None:
    assert {"UNUSED", "RECYCLED", "DISABLED", "FROZEN"} == NUMBER_MOVABLE_UP
    assert {"UNUSED"} == NUMBER_MOVABLE_DOWN


def test_cards_move_up_when_spoiled_but_down_only_when_they_can_be_sold() -> None:
    assert {"AVAILABLE", "DAMAGED", "WRITE_UNKNOWN", "REPLACED", "DISABLED"} == SIM_MOVABLE_UP
    assert {"AVAILABLE"} == SIM_MOVABLE_DOWN


def test_groups_of_states_name_what_they_hold() -> None:
    assert {"COMPLETING", "IN_USE", "REPORTED_LOST", "RETIRED"} == SIM_WITH_CUSTOMER
    assert {"WRITING", "WRITE_UNKNOWN"} == SIM_WRITE_UNSETTLED
    assert {"created", "identifying", "writing", "verifying"} == WRITE_JOB_OPEN
    assert {"writing", "verifying", "unknown"} == WRITE_JOB_DELIVERED
