"""Streams: what arrives is taken, scored and committed; state is a fold of what was committed."""

__all__: list[str] = []
