"""What every message over the wire has in common."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of what goes over the wire."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
