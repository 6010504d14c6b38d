"""Plain YAML from people and strangers: the safe loader with bounds, for personas and suites alike.

What cannot be read is a `PlainYamlError` that says what is wrong and what to do; whoever asked puts the file's name before it.
"""

from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MAX_BYTES = 200_000  # a persona or a suite is a page or two; a larger file is a mistake or an attack
DEEPEST = 8  # levels of nesting; a persona has four


class PlainYamlError(ValueError):
    """Text that is no page of plain fields."""


class _Loader(yaml.SafeLoader):
    """The safe loader, without what lets a page of YAML unfold into gigabytes; a field given twice is a mistake."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "an alias (*name) stands here; write out what it stands for", mark)
        if self._depth > DEEPEST:
            raise ComposerError(None, None, "lists or fields are nested too deep here", mark)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if (key.tag, key.value) in seen:
                raise ConstructorError(None, None, f"the field {key.value!r} stands here a second time", key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def plain_fields(text: str, *, what: str, such_as: str) -> dict[str, Any]:
    """The fields in YAML text, not yet checked. Raises PlainYamlError.

    Its message calls the file `what` ("persona") and names the fields of one, `such_as` ("'id:' and 'story:'").
    """
    if len(text.encode()) > MAX_BYTES:
        raise PlainYamlError(f"larger than {MAX_BYTES // 1000} kB; a {what} is a page or two of YAML")
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 (a safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date or number that cannot be
        detail = " ".join(str(error).split())[:300]
        raise PlainYamlError(f"not plain YAML ({detail}); check indentation, quotes and tags") from error
    if not isinstance(data, dict):
        raise PlainYamlError(f"expected fields such as {such_as}; found {type(data).__name__}")
    return data
