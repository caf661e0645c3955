"""What can go wrong between us and a card: one class per state that a person or a program must tell apart.

Every error carries a stable `code`; the station puts it into its reports and picks the sentence a clerk reads by it.
No error text holds command or answer data.
"""

from __future__ import annotations

from typing import ClassVar


class DriverError(Exception):
    """Base of everything a driver raises; `code` is stable, `meaning` says what to do next."""

    code: ClassVar[str] = "driver_error"
    meaning: ClassVar[str] = "the driver failed"

    def __init__(self, *, reader: str = "", detail: str = "") -> None:
        self.reader = reader
        self.detail = detail
        where = f" ({reader})" if reader else ""
        super().__init__(self.meaning + where + (f": {detail}" if detail else ""))


class ServiceDownError(DriverError):
    """The PC/SC service is not running, or was restarted under an open connection."""

    code = "service_down"
    meaning = "the PC/SC service does not answer; start it again, the station reconnects by itself"


class NoReaderError(DriverError):
    """No reader is attached, or none of the wanted name."""

    code = "no_reader"
    meaning = "no such card reader; plug it in"


class ReaderLostError(DriverError):
    """The reader was there and is gone: unplugged or without power."""

    code = "reader_lost"
    meaning = "the card reader was unplugged; plug it in again and read the card anew"


class NoCardError(DriverError):
    """The reader is empty."""

    code = "no_card"
    meaning = "no card in the reader; insert one"


class CardRemovedError(DriverError):
    """The card was taken out after the connection was opened; the connection stays dead."""

    code = "card_removed"
    meaning = "the card was taken out; insert it again and read it anew"


class CardResetError(DriverError):
    """Somebody reset the card: the selected file and every verified right are gone."""

    code = "card_reset"
    meaning = "another program reset the card; start again from reading it"


class MuteCardError(DriverError):
    """A card is in the reader and gives no answer to reset: upside down, dirty or dead."""

    code = "mute_card"
    meaning = "the card gives no answer to reset; turn it over, clean it or take another"


class BadAtrError(MuteCardError):
    """The card's answer to reset is none to go by: broken off, damaged, of another clock, or without T=0."""

    code = "bad_atr"
    meaning = "the card's answer to reset is damaged or offers no T=0; clean it, insert it again or take another"


class EchoError(DriverError):
    """A serial reader does not give back what is sent: other interface, other speed, or the card talks meanwhile."""

    code = "echo_differs"
    meaning = "the serial port does not echo what is sent; check cable and speed, and that it is a Phoenix reader"


class CardUnresponsiveError(DriverError):
    """The card took a command and never answered; whether it acted is unknown."""

    code = "card_unresponsive"
    meaning = "the card stopped answering; take it out, the last command may have been carried out"


class AnswerLostError(DriverError):
    """The connection to the card broke while a command was under way; whether the card acted is unknown."""

    code = "answer_lost"
    meaning = "the card's answer was lost; read the card to see whether it acted"


class SharingViolationError(DriverError):
    """Another program holds the reader."""

    code = "sharing_violation"
    meaning = "another program holds the card reader; close it"


class ProtocolError(DriverError):
    """The card or reader broke the rules of ISO 7816-3/-4, such as an endless chain of answers."""

    code = "protocol"
    meaning = "card and reader do not speak the same protocol; try another reader"


class ReaderFailureError(DriverError):
    """The reader stack failed in a way that has no name here; the detail holds its code."""

    code = "reader_failure"
    meaning = "the card reader failed"


class ModemRefusesError(DriverError):
    """The modem does not pass the command on: it knows no +CSIM, filters it, or its card wants a PIN first."""

    code = "modem_refuses"
    meaning = "the modem does not pass this command to its card; use another reader"


class ResetUnavailableError(DriverError):
    """The device cannot take the power from its card: rights given before would stay."""

    code = "reset_unavailable"
    meaning = "this device cannot reset its card; use another reader"


class StackerEmptyError(DriverError):
    """A card dispenser has no card left."""

    code = "stacker_empty"
    meaning = "the card stacker is empty; fill it"


class CardInsideError(DriverError):
    """A dispenser cannot bring a card: the one before is still at its contacts or its gate."""

    code = "card_inside"
    meaning = "a card is still in the dispenser; hand it out or reject it first"


class BinFullError(DriverError):
    """The bin for spoiled cards takes no more."""

    code = "bin_full"
    meaning = "the bin for spoiled cards is full; empty it"


class CardJamError(DriverError):
    """A card does not go where it was sent."""

    code = "card_jam"
    meaning = "a card is stuck in the dispenser; open it and take the card out"


class MalformedApduError(DriverError):
    """The bytes to send are no short command APDU; nothing was sent."""

    code = "malformed_apdu"
    meaning = "this is not a short command APDU of ISO 7816-4"


class ForbiddenCommandError(DriverError):
    """The command would create, delete or terminate something on the card for good; nothing was sent."""

    code = "forbidden_command"
    meaning = "this command is never sent to a card"


class UnknownSchemeError(DriverError):
    """No driver stands behind this URL."""

    code = "unknown_scheme"
    meaning = "no driver for this kind of reader"
