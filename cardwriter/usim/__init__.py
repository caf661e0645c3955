"""The files of a USIM as bytes: codecs, TLV, FCP, access rules, file tree and command APDUs (pure).

Names are those of 3GPP TS 31.102 and ETSI TS 102 221.
"""
