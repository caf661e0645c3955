"""Where the vault's keys lie, and why they cannot be used."""

from __future__ import annotations

from inventory.domain.errors.base import DomainError, Refusal


class KeyFileExposed(DomainError):
    """Others than its owner may read the key file (`file`)."""

    code = "key_file_exposed"
    refusal = Refusal.BUSY
    message = "{file} may be read by others; run: chmod 600 {file}"


class KeyFileDamaged(DomainError):
    """The key file is none (`file`)."""

    code = "key_file_damaged"
    refusal = Refusal.BUSY
    message = "{file} is not a key file; put the right file back, or restore it from a backup"


class KeyFileMissing(DomainError):
    """There is no key file where it should be (`file`)."""

    code = "key_file_missing"
    refusal = Refusal.BUSY
    message = "There is no key file {file}; set HAOKA_KEY_FILE or HAOKA_DATA_DIR to where it is"


class KeyFileForeign(DomainError):
    """The keys of the file are sealed by something else than what is set (`file`, `by`, `now`; `-` for nothing)."""

    code = "key_file_foreign"
    refusal = Refusal.BUSY
    message = "{file} is sealed by {by}, and {now} is set; set HAOKA_KEY_TOKEN as it was, or run haoka keys enclose"


class KeyFileNotOpened(DomainError):
    """The token's key does not open the keys of the file (`file`, `by`)."""

    code = "key_file_not_opened"
    refusal = Refusal.BUSY
    message = "{by} does not open {file}: it was altered, or the token has another key of that name; restore either"


class KeyTokenSupportMissing(DomainError):
    """A token is set, and what talks to tokens is not installed."""

    code = "key_token_support_missing"
    refusal = Refusal.BUSY
    message = "HAOKA_KEY_TOKEN needs requirements/hsm.txt installed"


class KeyTokenModuleMissing(DomainError):
    """The token's PKCS#11 module cannot be loaded (`module`)."""

    code = "key_token_module_missing"
    refusal = Refusal.BUSY
    message = "{module} cannot be loaded; install the token's software or mend module-path in HAOKA_KEY_TOKEN"


class KeyTokenAbsent(DomainError):
    """The module knows no token of this label (`token`)."""

    code = "key_token_absent"
    refusal = Refusal.BUSY
    message = "Token {token} is not there; connect or start it, or mend token in HAOKA_KEY_TOKEN"


class KeyTokenPinMissing(DomainError):
    """The file that should have the token's PIN cannot be read (`file`)."""

    code = "key_token_pin_missing"
    refusal = Refusal.BUSY
    message = "{file} cannot be read; put the token's PIN there, for its owner only"


class KeyTokenPinRefused(DomainError):
    """The token refuses the PIN of the file, or has locked it (`token`, `file`)."""

    code = "key_token_pin_refused"
    refusal = Refusal.BUSY
    message = "Token {token} refuses the PIN in {file}; do not try again before it is right, for tokens lock"


class KeyTokenKeyMissing(DomainError):
    """The token has no AES-256 key of this label (`token`, `key`)."""

    code = "key_token_key_missing"
    refusal = Refusal.BUSY
    message = "Token {token} has no AES-256 key {key}; haoka keys enclose makes it"


class KeyTokenFailed(DomainError):
    """The token could not do it (`token`, `fault`: the name of the PKCS#11 return value)."""

    code = "key_token_failed"
    refusal = Refusal.BUSY
    message = "Token {token} answered {fault}; see to the token and try again"


class KeyVersionInUse(DomainError):
    """A key version is to be retired and still seals something (`version`, `envelopes`)."""

    code = "key_version_in_use"
    refusal = Refusal.CONFLICT
    message = "Key version {version} still seals {envelopes} envelopes; run haoka keys rewrap first"


class TransportKeyUnfit(DomainError):
    """A transport key is of the other sort: in from vendors, or out to networks (`index`, `purpose`: its own)."""

    code = "transport_key_unfit"
    refusal = Refusal.CONFLICT
    message = "Transport key {index} is for {purpose} alone; name one of the other sort"


class TransportKeyNotOpened(DomainError):
    """What is sealed does not open, or is no key (`index`)."""

    code = "transport_key_not_opened"
    refusal = Refusal.BUSY
    message = "What lies under transport key {index} does not open; see that the key file is the right one"


class NothingToDelete(DomainError):
    """The network was told to delete all that it knows of cards that are gone, or others are at work on the rest."""

    code = "nothing_to_delete"
    refusal = Refusal.CONFLICT
    message = "No card that is gone has an identity that the network is not told to delete; fetch an earlier file again"


class NothingToExport(DomainError):
    """The network knows of every proven identity with keys in stock (`form`), or sales are at work on the others."""

    code = "nothing_to_export"
    refusal = Refusal.CONFLICT
    message = "Nothing is left that {form} can say and the network does not know; prove cards, take csv, or try again"
