"""Streams: records are read, scored and committed; the state is a function of what was committed."""

__all__: list[str] = []
