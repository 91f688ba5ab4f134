"""A link as the map writes it, whole: what is copied into its place must lose nothing that it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from datamap.check.tables import key as as_key

_WORD = re.compile(r"[^\W\d]\w*")
_NO_TEXT = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
Entry = Mapping[str, object]  # a link, without what is left to its default


def link(place: str, entries: Sequence[Entry], number: int, said: Mapping[str, str | None]) -> str:
    """`author_id: {to: …, erase: unlink}`: the place with all of its links, and in one of them what is `said`, as YAML;
    None takes a word out."""
    texts = [_mapping(each) for each in entries] or [{}]
    changed = {**{word: text for word, text in texts[number].items() if word not in said}, **said}
    texts[number] = {word: text for word, text in changed.items() if text is not None}
    written = _entry(texts[0]) if len(texts) == 1 else f"[{', '.join(map(_in_a_list, texts))}]"
    return f"{as_key(place)}: {written}"


def whole(entry: Entry) -> str:
    """One of them, in braces."""
    return _in_a_list(_mapping(entry))


def _mapping(entry: Entry) -> dict[str, str]:
    return {word: flow(value) for word, value in entry.items()}


def _entry(texts: Mapping[str, str]) -> str:
    return texts["role"] if set(texts) == {"role"} else _in_a_list(texts)


def _in_a_list(texts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{word}: {text}' for word, text in texts.items())}}}"


def flow(value: object) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{as_key(str(name))}: {flow(each)}' for name, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value)


def scalar(value: object) -> str:
    """In quotes where YAML would read it as something else than this text."""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _WORD.fullmatch(value) and value.lower() not in _NO_TEXT
    return value if is_plain else json.dumps(value, ensure_ascii=False)
