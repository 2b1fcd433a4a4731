"""Choices of the site, read from `ACCORD_*`; numbers of the standard live in clause files."""

import os
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Return the state folder of this user, or the system's when running as root."""
    if os.geteuid() == 0:
        return Path("/var/lib/accord")
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "accord"


def _seconds(value: object) -> object:
    """Read a bare number as seconds; everything else as pydantic does (`PT60S`, `00:01:00`)."""
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        return float(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]

PeerAddress = Annotated[str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:]+\]|[^\s:]+):\d{1,5}$")]


class Settings(BaseSettings):
    """All settings of one process; units stand in the type."""

    model_config = SettingsConfigDict(env_prefix="ACCORD_", frozen=True, extra="ignore")

    data_dir: Path = Field(default_factory=default_data_dir, description="Database, objects, keys")
    database_url: SecretStr | None = Field(
        None, description="A managed PostgreSQL ≥ 15; unset: the embedded one in the data folder"
    )
    rules_dir: Path | None = Field(None, description="Own numbers and readings of the site")
    rule_set: str = Field("2025-draft", description="Version of the standard that answers")
    mac_algorithm: Literal["HMAC-SM3", "HMAC-SHA-256"] = Field(
        "HMAC-SM3", description="Keyed hash of ids of people, for keys made from now on"
    )

    host: str = Field("127.0.0.1", description="Address of the inner HTTP face")
    http_port: int = Field(8080, ge=0, le=65535, description="Inner HTTP port")
    http_workers: int = Field(1, ge=1, le=64, description="Processes of `accord serve`")
    outer_host: str = Field("127.0.0.1", description="Address of the outer face")
    outer_port: int = Field(8090, ge=0, le=65535, description="Outer HTTP port")
    dimse_host: str = Field("127.0.0.1", description="Address of the DIMSE receiver")
    dimse_port: int = Field(11112, ge=0, le=65535, description="DIMSE port")
    ae_title: str = Field("ACCORD", min_length=1, max_length=16, description="Our AE title")
    peer_addresses: dict[str, PeerAddress] = Field(
        {}, description='Where we call peers, by AE title (JSON): {"CQA_PACS": "10.0.0.5:104"}'
    )
    mllp_host: str = Field("127.0.0.1", description="Address of the MLLP listener (HL7 v2)")
    mllp_port: int = Field(2575, ge=0, le=65535, description="MLLP port")
    receive_processes: int = Field(2, ge=1, le=64, description="Processes of `accord receive`")
    work_threads: int = Field(2, ge=1, le=64, description="Jobs that `accord work` runs at once")
    public_url: str | None = Field(None, description="How browsers reach us, when behind a proxy")

    tls_certificate: Path | None = Field(None, description="PEM chain; required off loopback")
    tls_key: Path | None = Field(None, description="PEM key; required off loopback")
    tls_client_ca: Path | None = Field(None, description="CA of client certificates (DIMSE, MLLP)")

    settle_after: Duration = Field(
        timedelta(seconds=60), description="Quiet time after which a study counts as complete"
    )
    max_object_size: ByteSize = Field(
        ByteSize(4 * 1024**3), description="Largest DICOM object that is received"
    )
    max_header_size: ByteSize = Field(
        ByteSize(16 * 1024**2), description="Most bytes of header values that are read of an object"
    )
    max_header_elements: int = Field(
        200_000, ge=1, description="Most elements of a header, those of all items together"
    )
    max_inflated_size: ByteSize = Field(
        ByteSize(1024**3), description="Most bytes that a deflated object may become"
    )
    max_frame_size: ByteSize = Field(
        ByteSize(256 * 1024**2), description="Largest frame that is decoded, in bytes of pixels"
    )
    max_message_size: ByteSize = Field(
        ByteSize(16 * 1024**2), description="Largest HL7 v2 message that is received"
    )
    max_json_size: ByteSize = Field(ByteSize(2 * 1024**2), description="Largest JSON body")
    max_associations_per_peer: int = Field(
        32, ge=1, description="Open DIMSE associations of one calling AE title, on one host"
    )
    dimse_request_timeout: Duration = Field(
        timedelta(seconds=30), description="A peer that connects must ask to associate within this"
    )
    dimse_idle_timeout: Duration = Field(
        timedelta(seconds=60),
        description="A silent association ends; a PDU must arrive within this",
    )
    mllp_idle_timeout: Duration = Field(
        timedelta(minutes=10), description="A silent MLLP connection ends"
    )
    max_nesting: int = Field(32, ge=1, description="Deepest sequence or JSON nesting read")

    session_idle: Duration = Field(timedelta(minutes=30), description="Session ends when idle")
    session_length: Duration = Field(timedelta(hours=12), description="Session ends at the latest")
    login_attempts: int = Field(5, ge=1, description="Wrong passwords before the account is locked")
    password_length: int = Field(10, ge=8, description="Least characters of a password")
    login_lock: Duration = Field(timedelta(minutes=15), description="How long it stays locked")

    special_items: frozenset[int] = Field(
        frozenset(), description="Numbers of the special items with the longer limit of R7.1.1-d"
    )
    reminder_cutoff: Duration = Field(
        timedelta(milliseconds=450), description="After this the order proceeds unanswered"
    )
    publication_key: Path | None = Field(
        None, description="Public key (PEM) of the publications; unset: the one in their folder"
    )
    log_level: str = Field("INFO", description="Least level that is logged")

    @property
    def objects_dir(self) -> Path:
        """Folder of the received objects."""
        return self.data_dir / "objects"

    @property
    def keys_dir(self) -> Path:
        """Folder of the keys of this site."""
        return self.data_dir / "keys"

    @property
    def publication_dir(self) -> Path:
        """Folder of the signed publications that the outer face reads."""
        return self.data_dir / "publication"

    @property
    def inner_url(self) -> str:
        """Address of the inner face as a browser writes it, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{self.host}:{self.http_port}"


def is_loopback(host: str) -> bool:
    """Say whether `host` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
