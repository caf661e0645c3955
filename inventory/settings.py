"""What an operator may set, by environment (`HAOKA_…`) or by option; docs/settings.md lists the same names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of every process of the product; read once at start and never changed."""

    model_config = SettingsConfigDict(env_prefix="HAOKA_", frozen=True, extra="ignore")

    data_dir: Path = Field(default=Path(".haoka"), description="Folder of everything this installation keeps on disk.")
    database_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy or libpq URL of a PostgreSQL 15 or newer; without it the embedded one runs.",
    )
    database_pool: int = Field(
        default=16,
        ge=2,
        le=200,
        description="Connections each process keeps open for transactions, and for single statements.",
    )
    host: str = Field(default="127.0.0.1", description="Address the service listens on.")
    port: int = Field(default=8460, ge=0, le=65535, description="Port the service listens on; 0 takes a free one.")
    public_url: str | None = Field(
        default=None, description="Address by which browsers and stations reach the service."
    )
    key_file: Path | None = Field(
        default=None, description="File of the vault's keys; by default `vault.key` in the data folder."
    )
    key_token: str | None = Field(
        default=None,
        description="PKCS#11 URI of the token key that seals the key file: "
        "`pkcs11:token=…;object=…?module-path=…&pin-source=file:…` (docs/keys.md); without it the file is plain.",
    )
    operator_url: str | None = Field(
        default=None,
        description="Address of the operator's card-data system for cards of the family `operator` "
        "(docs/operator-adapter.md): `https://host/path`; plain http on this machine only.",
    )
    operator_key_file: Path | None = Field(
        default=None, description="File with the key that this system is called with; needed with its address."
    )
    language: Literal["zh", "en"] = Field(default="zh", description="Language where a caller names none.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="Form of the log lines on standard error."
    )
    session_hours: int = Field(default=12, ge=1, le=24, description="Hours after which a sign-in ends by itself.")
    sign_in_failures: int = Field(
        default=5, ge=1, le=100, description="Failed sign-ins of one staff id before it must wait."
    )
    sign_in_wait_minutes: int = Field(
        default=5, ge=1, le=1440, description="Minutes over which failed sign-ins are counted."
    )
    finish_minutes: int = Field(
        default=30, ge=0, le=240, description="Minutes after closing in which begun work may be finished (REQ-IF-11)."
    )
    approval_hours: int = Field(
        default=24, ge=1, le=240, description="Hours in which an approval is answered and used; then it is over."
    )
    caller_cache_seconds: int = Field(
        default=2, ge=0, le=60, description="Seconds for which a process remembers who a key belongs to."
    )
    kiosk_cards: int = Field(
        default=3, ge=1, le=10, description="Cards that a self-service machine tries for one customer."
    )
    kiosk_days: int = Field(
        default=30, ge=1, le=400, description="Days after which a self-service machine's screen must be opened anew."
    )
    kiosk_take_back_seconds: int = Field(
        default=120, ge=0, le=3600,
        description="Seconds after which a self-service machine draws in a card that nobody takes; 0 leaves it there.",
    )  # fmt: skip
    max_body_mb: int = Field(default=64, ge=1, le=1024, description="Largest request body, in MiB.")

    @property
    def kiosk_take_back(self) -> timedelta | None:
        """How long a sold card lies in the slot of a self-service machine before it is drawn in; None for ever."""
        return timedelta(seconds=self.kiosk_take_back_seconds) or None

    @property
    def vault_key_path(self) -> Path:
        """File of the vault's keys."""
        return self.key_file or self.data_dir / "vault.key"

    def sqlalchemy_url(self) -> str:
        """Return the database's URL with the psycopg 3 driver named.

        Raises
        ------
        ValueError
            No database is set; `haoka up` starts the embedded one and passes its URL on.
        """
        if self.database_url is None:
            raise ValueError("HAOKA_DATABASE_URL is not set; `haoka up` starts the embedded PostgreSQL and sets it")
        url = self.database_url.get_secret_value()
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url
