"""Every limit and address of the service: unit, default, allowed range.

Read from `KUA_*` in the environment, then from `kua.toml` in the working folder. Unknown names are refused, so that a
typing error does not silently leave a default in force.
"""

import ipaddress
import json
import os
import re
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from stream.errors import SettingsError

PREFIX = "KUA_"
# Read outside of this class: by models/weights.py, which knows no service.
OTHER_NAMES = frozenset({"KUA_WEIGHTS_DIR"})


_SIGNS = {"Ge": "≥", "Gt": ">", "Le": "≤", "Lt": "<"}


class Settings(BaseSettings):
    """The service's settings; immutable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, toml_file="kua.toml")

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8400, ge=1, le=65535, description="TCP port")
    token: str = Field("", description="An administrator's bearer token beside those that `tokens create` makes")
    organisation: str = Field("default", pattern=r"^[\w.-]{1,64}$", description="Whose calls come without such a token")
    data_dir: Path = Field(Path(".kua"), description="Folder of the database and of the keys of evidence")
    database_url: str = Field(
        "",
        description="SQLAlchemy URL of the alert store, `postgresql+asyncpg://...` too; default: SQLite in `data_dir`",
    )
    keep_days: float = Field(
        30, ge=0, le=3650, description="How long evidence of an alert is kept [days]; 0: never written"
    )
    keep_faces: bool = Field(True, description="Whether the crops of alerted faces are kept")
    keep_audio: bool = Field(False, description="Whether the alerted seconds of sound are kept")
    evidence_roles: list[Literal["viewer", "agent", "analyst", "admin"]] = Field(
        ["agent", "analyst", "admin"], description="Which roles may see evidence, agents that of their own calls"
    )
    clip_mb: int = Field(200, ge=1, le=4000, description="Largest forwarded clip that is taken [MB]")
    webhook_private: bool = Field(False, description="Whether webhooks may call into private networks, and without TLS")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written")
    allowed_origins: list[str] = Field([], description="Origins beside our own whose pages may call us (CORS)")
    allowed_hosts: list[str] = Field([], description="Host names beside loopback's that a request may name; empty: any")
    embed_origins: list[str] = Field([], description="Origins whose pages may show the agent's console in a frame")
    requests_per_minute: int = Field(1200, ge=1, description="Requests with one token a minute; more are answered 429")

    max_sessions: int = Field(8, ge=1, le=64, description="Calls at a time; more are answered 503")
    connect_timeout_s: float = Field(10, gt=0, le=120, description="From an offer to a connected peer [s]")
    media_timeout_s: float = Field(15, gt=0, le=600, description="Without any media the call is ended [s]")
    max_call_s: float = Field(4 * 3600, gt=0, description="Longest call [s]")
    offers_per_minute: int = Field(60, ge=1, description="Offers from one address a minute; more are answered 429")
    ice_servers: list[str] = Field([], description="STUN and TURN URLs given to callers and used by us")

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the nets run")
    inference_threads: int = Field(0, ge=0, le=64, description="Workers on the CPU; 0: one a core")
    batch_size: int = Field(16, ge=1, le=256, description="Most windows in a batch")
    batch_wait_ms: float = Field(20, ge=0, le=1000, description="How long a batch waits for company [ms]")
    queue_windows: int = Field(12, ge=1, le=64, description="Windows of one call that wait; then the oldest goes")

    promise_hours: float = Field(100, ge=1, le=1000, description="At most one false alert in so many call-hours [h]")
    decision_file: Path | None = Field(
        None, description="Thresholds measured on your own calls, see `models.training.calibrate`; default: ours"
    )
    min_face_s: float = Field(3.0, ge=0, le=60, description="Face seconds before green can be shown [s]")
    min_speech_s: float = Field(3.0, ge=0, le=60, description="Speech seconds before green can be shown [s]")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then `kua.toml`."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _origins_are_origins(self) -> "Settings":
        # They go into a header: a wrong one would open or close more than meant.
        for origin in self.embed_origins:
            if not re.fullmatch(r"https?://[\w.-]+(:\d+)?", origin):
                raise ValueError(f"{PREFIX}EMBED_ORIGINS: {origin!r} is no origin; expected https://HOST[:PORT]")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach us."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def store_url(self) -> str:
        """The alert store's SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'kua.sqlite'}"


def settings_table() -> str:
    """Return every setting as a Markdown table, for the README."""
    lines = ["| setting | default | allowed | what |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        bounds = (str(bound).replace("(", " ").rstrip(")").split("=") for bound in field.metadata)
        allowed = ", ".join(f"{_SIGNS[kind.split()[0]]} {value}" for kind, value in bounds if kind.split()[0] in _SIGNS)
        choices = " or ".join(f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str))
        default = json.dumps(field.default, default=str).strip('"') or "none"
        lines.append(f"| `{PREFIX}{name.upper()}` | `{default}` | {allowed or choices} | {field.description} |")
    return "\n".join(lines)


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` (from the command line) win.

    Raises:
        SettingsError: A name is unknown or a value is out of range; the text names variable, value and what is allowed.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | OTHER_NAMES
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as exc:
        raise SettingsError("; ".join(map(_text, exc.errors(include_url=False)))) from exc
    except ValueError as exc:
        raise SettingsError(f"cannot read kua.toml or the environment: {exc}") from exc


def _text(error: ErrorDetails) -> str:
    if not error["loc"]:  # of no single setting
        return error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()} = {error['input']!r}: {error['msg']}"
