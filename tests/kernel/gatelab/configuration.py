# SPDX-License-Identifier: ISC
"""pullgate's configuration file, written from dictionaries."""

from . import addresses


def defaults(url, ca_file=None):
    """The sections that every test needs, for an origin at `url`, or at several in their order."""
    origin = {"url": url}
    urls = [url] if isinstance(url, str) else url
    if any(one.startswith("http:") for one in urls):
        origin["insecure_http"] = "yes"
    if any(one.startswith("https:") for one in urls) and ca_file:
        origin["ca_file"] = ca_file
    return {"gateway": {"interface": "wg0", "connect": "replay"}, "origin": origin,
            "policy": {"allowed_ips": ", ".join(addresses.INSIDE_NETWORKS)}}


def merge(sections, changes):
    """`sections` with `changes` put over them, entry by entry; None takes an entry away."""
    merged = {name: dict(entries) for name, entries in sections.items()}
    for name, entries in changes.items():
        section = merged.setdefault(name, {})
        for key, value in entries.items():
            if value is None:
                section.pop(key, None)
            else:
                section[key] = value
    return merged


def render(sections):
    """The text of the file. An entry whose value is a list is written once a value."""
    lines = []
    for name, entries in sections.items():
        lines.append(f"[{name}]")
        for key, value in entries.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            lines.extend(f"{key} = {one}" for one in values)
        lines.append("")
    return "\n".join(lines)
