"""Solutions, one folder each: what is known about one job of a bank. They know nothing of each other."""

__all__: list[str] = []
