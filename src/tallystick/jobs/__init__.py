"""The verbs, one a file: parse nothing, print nothing, return what was done."""

__all__: list[str] = []
