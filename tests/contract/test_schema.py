"""The page's types are made from the server's own messages."""

import json
from pathlib import Path

from stream.api.messages import json_schema

SCHEMA = Path(__file__).parents[2] / "web" / "messages.schema.json"


def test_the_page_holds_the_schema_of_the_server() -> None:
    """After a change: `make messages`."""
    assert json.loads(SCHEMA.read_text()) == json_schema()
