"""An INPUT read through a contract, every record accounted for."""

__all__: list[str] = []
