"""The IMS identities of an ISIM, which follow from the IMSI, and its P-CSCF addresses (TS 31.103 §4.2)."""

from __future__ import annotations

import ipaddress

from cardwriter.usim import tlv
from cardwriter.usim.bcd import CodecError, digits, pad

_TEXT = 0x80
_FQDN, _IPV4, _IPV6 = 0x00, 0x01, 0x02
_ADDRESS_TYPES = {4: _IPV4, 6: _IPV6}
_IMSI_SHORTEST, _IMSI_LONGEST = 6, 15
_MCC_DIGITS = 3


def home_domain(imsi: str, mnc_length: int) -> str:
    """Return the home network domain name of an IMSI (TS 23.003 §13.2).

    Raises
    ------
    CodecError
        The IMSI is malformed.
    """
    known = digits(imsi, _IMSI_SHORTEST, _IMSI_LONGEST)
    mcc, mnc = known[:_MCC_DIGITS], known[_MCC_DIGITS : _MCC_DIGITS + mnc_length]
    return f"ims.mnc{mnc:0>3}.mcc{mcc}.3gppnetwork.org"


def private_identity(imsi: str, mnc_length: int) -> str:
    """Return the IMPI of an IMSI (TS 23.003 §13.3).

    Raises
    ------
    CodecError
        The IMSI is malformed.
    """
    return f"{imsi}@{home_domain(imsi, mnc_length)}"


def public_identity(imsi: str, mnc_length: int) -> str:
    """Return the temporary IMPU of an IMSI (TS 23.003 §13.4B).

    Raises
    ------
    CodecError
        The IMSI is malformed.
    """
    return f"sip:{private_identity(imsi, mnc_length)}"


def encode_text(text: str, size: int) -> bytes:
    """Return EF.IMPI, EF.DOMAIN or a record of EF.IMPU: tag 80, UTF-8, filled with FF (TS 31.103 §4.2.2 to §4.2.4).

    Raises
    ------
    CodecError
        The text does not fit.
    """
    return pad(tlv.encode(_TEXT, text.encode()), size)


def decode_text(content: bytes) -> str:
    """Return the text of EF.IMPI, EF.DOMAIN or a record of EF.IMPU, an empty one of a blank file.

    Raises
    ------
    CodecError
        The file holds something else.
    """
    try:
        return (tlv.first(tlv.parse(content), _TEXT) or b"").decode()
    except UnicodeDecodeError:
        raise CodecError("the name is not UTF-8") from None


def encode_pcscf(address: str, record_length: int) -> bytes:
    """Return one record of EF.P-CSCF: a domain name or an IP address (TS 31.103 §4.2.8).

    Raises
    ------
    CodecError
        The address does not fit.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        value = bytes([_FQDN]) + address.encode()
    else:
        value = bytes([_ADDRESS_TYPES[ip.version]]) + ip.packed
    return pad(tlv.encode(_TEXT, value), record_length)


def decode_pcscf(record: bytes) -> str:
    """Return the domain name or IP address of a record of EF.P-CSCF, an empty text of a blank one.

    Raises
    ------
    CodecError
        The record holds something else.
    """
    value = tlv.first(tlv.parse(record), _TEXT)
    if not value:
        return ""
    try:
        return value[1:].decode() if value[0] == _FQDN else str(ipaddress.ip_address(value[1:]))
    except ValueError:
        raise CodecError("EF.P-CSCF is neither a name nor an address") from None
