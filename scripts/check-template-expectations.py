#!/usr/bin/env python3
"""Checks that testdata/expected/templates speaks of things that exist in testdata/templates, and leaves none out.

The expectations are written by hand. This knows nothing of how a template is read; it only follows their pointers,
finds their strings in the samples, checks order and counts, and looks for objects that no expectation mentions.
"""
import html
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "testdata"
SAMPLES, EXPECTED = ROOT / "templates", ROOT / "expected" / "templates"

KINDS = {"empty", "template", "message", "voice_command", "wrapped_text", "json", "malformed", "ssml", "plain"}
KEYS = {"kind", "envelope_type", "template_type", "template_type_norm", "text", "form", "voice_verbs", "elements",
        "actions", "decode_error_offset", "note"}
REQUIRED = {"kind", "envelope_type", "template_type", "template_type_norm", "text", "elements", "actions"}
ELEMENT = {"path", "parent_path", "title", "subtitle", "value", "image_url", "value_list"}
ACTION = {"path", "parent_path", "element_index", "kind", "type", "title", "payload", "value", "url"}
ACTION_KINDS = {"button", "quick_reply", "default_action", "option", "postback"}
FORM = {"form_id": "formId", "form_name": "name", "form_display_name": "displayName", "form_link": "formLink",
        "form_render_type": "renderType", "form_link_expiry": "formLinkExpiry", "form_submit_expiry": "submitExpiry"}
# Arrays of objects that hold neither elements nor actions: decoration, messages around a template, voice verbs.
NEITHER = {"headerOptions", "message", "data"}


def walk(value, path: str = ""):
    """Every value below and including this one, with its pointer, in the order of the document."""
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from walk(child, f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from walk(child, f"{path}/{index}")


def read(value) -> str:
    """A value as text: strings as they are, all else as compact JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse(raw: str):
    """The object in a sample, if it holds one, written plainly or with entities."""
    for text in (raw, html.unescape(raw)):
        try:
            value = json.loads(text)
        except ValueError:
            continue
        return value if isinstance(value, dict) else None
    return None


def normalised(template_type):
    if template_type is None:
        return None
    short = template_type.lower().replace(" ", "").replace("_", "")
    return short.removesuffix("template") or short


def check_rows(want: dict, nodes: dict, wrong) -> None:
    order = {path: number for number, path in enumerate(nodes)}
    elements = [row.get("path") for row in want["elements"]]
    for what, known in (("elements", ELEMENT), ("actions", ACTION)):
        last = -1
        for row in want[what]:
            path = row.get("path")
            if set(row) - known:
                wrong(f"{what} {path}: unknown keys {sorted(set(row) - known)}")
            if not isinstance(nodes.get(path), dict):
                wrong(f"{what} {path}: no object there")
                continue
            if row.get("parent_path") != path.rpartition("/")[0]:
                wrong(f"{what} {path}: parent_path is not its parent")
            if order[path] <= last:
                wrong(f"{what} {path}: out of order, or twice")
            last = order[path]
            there = {read(value) for _, value in walk(nodes[path])}
            for key, value in row.items():
                if key in ("path", "parent_path", "element_index") or (what == "actions" and key == "kind"):
                    continue
                for item in value if key == "value_list" else [value]:
                    if (read(item) if item is not None else "null") not in there:
                        wrong(f"{what} {path}: {key} is not there: {item!r}")
            if what == "elements" and not isinstance(nodes.get(row.get("parent_path")), list):
                wrong(f"elements {path}: not in an array")
            if what == "actions":
                around = [index for index, outer in enumerate(elements) if f"{path}/".startswith(f"{outer}/")]
                if row.get("element_index") != (max(around, key=lambda i: len(elements[i])) if around else None):
                    wrong(f"actions {path}: element_index {row.get('element_index')}, but it lies in {around}")
                if row.get("kind") not in ACTION_KINDS:
                    wrong(f"actions {path}: kind {row.get('kind')!r}")


def check_none_left_out(want: dict, nodes: dict, wrong) -> None:
    actions = {row["path"] for row in want["actions"]}
    named = actions | {row["path"] for row in want["elements"]}
    for path, value in nodes.items():
        if not isinstance(value, dict):
            continue
        parent, _, key = path.rpartition("/")
        sends = "title" in value and any(isinstance(value.get(sent), str) for sent in ("payload", "url"))
        if (sends or key in ("default_action", "postback")) and path not in actions:
            wrong(f"{path}: looks like an action and is none")
        if not isinstance(nodes.get(parent), list) or path in named:
            continue
        array = parent
        while isinstance(nodes[array.rpartition("/")[0]], list):
            array = array.rpartition("/")[0]
        if array.rpartition("/")[2] not in NEITHER:
            wrong(f"{path}: an object in a list that is neither element nor action")


def check(name: str, raw: str, want: dict) -> list[str]:
    problems: list[str] = []

    def wrong(what: str) -> None:
        problems.append(f"{name}: {what}")

    if set(want) - KEYS or REQUIRED - set(want):
        wrong(f"keys: {sorted(set(want) ^ REQUIRED)}")
        return problems
    if want["kind"] not in KINDS:
        wrong(f"kind {want['kind']!r}")
    if want["template_type_norm"] != normalised(want["template_type"]):
        wrong("template_type_norm")
    root = parse(raw)
    if (root is None) != (want["kind"] in ("plain", "ssml", "empty", "malformed")):
        wrong(f"kind {want['kind']}, but parsed: {root is not None}")
    if root is None:
        if want["kind"] == "plain" and want["text"] != html.unescape(raw):
            wrong("text of plain text")
        if want["elements"] or want["actions"] or want["envelope_type"] or want["template_type"]:
            wrong("a template without an object")
        return problems

    nodes = dict(walk(root))
    if want["envelope_type"] != root.get("type"):
        wrong("envelope_type")
    if want["template_type"] not in [None, *(value for path, value in nodes.items() if path.endswith("/template_type"))]:
        wrong("template_type is not there")
    titles = [row["title"] for row in want["elements"] if "title" in row]
    if want["text"] is not None and want["text"] not in nodes.values() and want["text"] != "\n".join(titles):
        wrong("text is not there")
    form = root.get("formData")
    if want.get("form") != (form and {column: form[key] for column, key in FORM.items() if key in form}):
        wrong("form")
    verbs = [verb["verb"] for verb in root["data"]] if want["kind"] == "voice_command" else None
    if want.get("voice_verbs") != verbs:
        wrong("voice_verbs")
    check_rows(want, nodes, wrong)
    check_none_left_out(want, nodes, wrong)
    return problems


def main() -> int:
    samples = {path.name for path in SAMPLES.iterdir() if path.suffix in (".json", ".raw")}
    expected = {path.name.removesuffix(".json") for path in EXPECTED.glob("*.json")}
    problems = [f"{name}: no expectation" for name in sorted(samples - expected)]
    problems += [f"{name}: no sample" for name in sorted(expected - samples)]
    elements = actions = 0
    for name in sorted(samples & expected):
        want = json.loads((EXPECTED / f"{name}.json").read_text("utf-8"))
        problems += check(name, (SAMPLES / name).read_bytes().decode("utf-8"), want)
        elements, actions = elements + len(want["elements"]), actions + len(want["actions"])
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(samples & expected)} templates, {elements} elements, {actions} actions, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
