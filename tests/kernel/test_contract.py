# SPDX-License-Identifier: ISC
"""docs/origin.openapi.yaml and docs/origin.md say what pullgate does: they agree with each other and
with the table of what an origin may do, and pullgate takes the bodies that they show."""

import json
import re
from pathlib import Path

import pytest
import yaml

from gatelab import addresses, initiation, wireguard
from origin_table import statuses

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "origin.md").read_text(encoding="utf-8")
OPENAPI = yaml.safe_load((DOCS / "origin.openapi.yaml").read_text(encoding="utf-8"))
GET = OPENAPI["paths"]["/peer/{key}"]["get"]
RESPONSES = GET["responses"]
EXAMPLES = RESPONSES["200"]["content"]["application/json"]["examples"]
# What the rows of the origin's table are about: each status with the body of a right answer.
ROW = re.compile(r"answers (\d{3})")


def outcome(status):
    """What OpenAPI says of a status: by itself, by its hundred, by default."""
    for name in (str(status), f"{status // 100}XX", "default"):
        if name in RESPONSES:
            return RESPONSES[name]["x-pullgate-answer"]
    raise KeyError(status)


def references(node):
    """All $ref below a part of the document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(node):
    """The part itself, where it is a reference."""
    while "$ref" in node:
        part = OPENAPI
        for name in node["$ref"].removeprefix("#/").split("/"):
            part = part[name]
        node = part
    return node


def test_references_lead_somewhere():
    found = set(references(OPENAPI))
    assert len(found) > 10
    for reference in found:
        assert resolve({"$ref": reference})


def test_every_status_comes_to_what_the_origin_table_says():
    stated = {int(ROW.fullmatch(row.origin).group(1)): row.outcome
              for stage in statuses.STAGES for row in stage.rows if ROW.fullmatch(row.origin)}
    assert len(stated) > 60
    assert {status: outcome(status) for status in stated} == stated


def test_every_response_has_a_row():
    """304 is there unasked alone; asked for it is test_freshness' matter."""
    for status in filter(str.isdigit, RESPONSES):
        assert any(row.origin.startswith(f"answers {status}")
                   for stage in statuses.STAGES for row in stage.rows), status


def table_of_answers():
    """{"200": "found", ...} of the table in origin.md's section on answers."""
    section = TEXT.partition("\n## What it may answer")[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in section.splitlines() if line.startswith("|")]
    return {status: row[1] for row in rows[2:] for status in re.findall(r"\b\d(?:\d\d|xx)\b", row[0])
            } | {"default": row[1] for row in rows if row[0] == "anything else"}


def test_the_text_names_every_answer():
    assert table_of_answers() == {name.replace("XX", "xx"): response["x-pullgate-answer"]
                                  for name, response in RESPONSES.items()}


@pytest.mark.parametrize("field", [*RESPONSES["200"]["headers"], "Content-Type", "Retry-After"])
def test_the_text_names_every_field(field):
    assert f"`{field}" in TEXT


def test_the_text_gives_the_defaults_of_the_configuration():
    """Where both documents say what a time is by default, they say the same."""
    configuration = (DOCS / "configuration.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", configuration, re.M))
    said = re.findall(r"`(?:\w+\.)?(\w+)` \(`([^`]+)`\)", TEXT)
    assert len(said) > 5
    assert {name: value for name, value in said} == {name: listed[name] for name, _ in said}


def test_the_text_shows_what_is_accepted():
    client = (DOCS.parent / "fetcher" / "http_client.c").read_text(encoding="utf-8")
    accept = re.search(r'^#define ACCEPT "(Accept: (.*))"$', client, re.M)
    assert f"\n    {accept.group(1)}\n" in TEXT and f"| `{accept.group(1)}` |" in TEXT
    assert accept.group(2) in GET["description"]
    kinds = {kind.partition(";")[0] for kind in accept.group(2).split(", ")}
    assert kinds == set(RESPONSES["200"]["content"])


# Where the code has a bound: its name, what is taken off (a zero byte), the unit, and how it reads.
BOUNDS = {
    "HTTP_CLIENT_BODY_BYTES": (0, 1, "{} bytes"), "HTTP_CLIENT_HEADER_BYTES": (0, 1, "{} bytes"),
    "HTTP_CLIENT_FIELD_BYTES": (1, 1, "{} bytes"), "HTTP_VALIDATOR_BYTES": (1, 1, "{} bytes"),
    "URL_BYTES": (1, 1, "{} bytes"), "URL_TEMPLATE_BYTES": (1, 1, "the template {}"),
    "MATERIAL_TOKEN_BYTES_MAX": (0, 1, "{} bytes"), "SOCKET_POOL_STREAMS": (0, 1, "up to {} requests"),
    "ANSWER_HOLD_MAX_MS": (0, 1000, "more than {} s count as {} s"),
    "BREAKER_PAUSE_MS": (0, 1000, "to {} s, then"), "BREAKER_PAUSE_MAX_MS": (0, 1000, "to {} s until"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_the_text_has_the_bounds_of_the_code(name):
    headers = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "fetcher").glob("*.h"))
    less, unit, form = BOUNDS[name]
    bound = int(re.search(rf"^#define {name}\s+(\d+)U?\b", headers, re.M).group(1)) - less
    number = f"{bound // unit:,}" if bound % unit == 0 else f"{bound / unit}"
    assert form.replace("{}", number) in TEXT.replace("\n", " ")


def check_shape(schema, value):
    """The rules of JSON Schema that the document uses."""
    schema = resolve(schema)
    if "oneOf" in schema:
        kinds = [resolve(kind)["type"] for kind in schema["oneOf"]]
        assert kinds == ["string", "null"]
        return value is None or check_shape(schema["oneOf"][0], value)
    assert isinstance(value, {"object": dict, "array": list, "string": str, "integer": int}[schema["type"]])
    assert re.search(schema.get("pattern", ""), value if isinstance(value, str) else "")
    if isinstance(value, int):
        assert schema["minimum"] <= value <= schema["maximum"]
    if isinstance(value, list):
        assert schema["minItems"] <= len(value) <= schema["maxItems"]
        for item in value:
            check_shape(schema["items"], item)
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value)
        for name, part in schema["properties"].items():
            if name in value:
                check_shape(part, value[name])
    return None


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_have_the_shape_that_the_schema_gives(name):
    body = EXAMPLES[name]["value"]
    check_shape(OPENAPI["components"]["schemas"]["Peer"], body)
    key = OPENAPI["components"]["parameters"]["key"]
    assert wireguard.url_key(body["public_key"]) == key["example"]
    assert re.search(key["schema"]["pattern"], key["example"])


def bodies_of_the_text():
    """The peers that origin.md shows as JSON."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.S)]


@pytest.mark.wireguard
def test_pullgate_takes_the_bodies(lab):
    """One key after the other, each with a body that the documents show; only the key is its own."""
    bodies = [example["value"] for example in EXAMPLES.values()] + bodies_of_the_text()
    assert len(bodies) > len(EXAMPLES)
    sender = lab.add_client(kind="none")
    raw = sender.raw_sender()
    pullgate = lab.gateway.start_pullgate(
        arguments=["-v"], cache={"fresh_ttl": "1s", "min_revalidate": "1s"})
    for body in bodies:
        private_key = wireguard.make_private_key()
        key = wireguard.public_key_of(private_key)
        lab.origin.add_body(key, json.dumps({**body, "public_key": key}))
        raw.send(initiation.make(lab.gateway.public_key, private_key), sender.outside[4], 4500,
                 addresses.GATEWAY_OUTSIDE[4], addresses.LISTEN_PORT)
        pullgate.wait_event("outcome", key=key, result="installed")
        peer = lab.gateway.peers()[key]
        assert set(peer.allowed_ips) == {address if "/" in address else addresses.host_prefix(address)
                                         for address in body["allowed_ips"]}
        assert peer.preshared_key == (body.get("preshared_key") or "")
        assert peer.keepalive_seconds == body.get("persistent_keepalive", 0)
        lab.origin.revoke_peer(key)  # the next one has the same addresses
        pullgate.wait_event("removed", key=key, reason="revoked")
