"""Behaviour over trailing windows: declared in a few words, kept for each entity, exact in time and order."""

from tallystick.windows.declaration import Windows
from tallystick.windows.ordering import order
from tallystick.windows.passes import PassState, WindowPass
from tallystick.windows.roles import TableRoles
from tallystick.windows.state import Applied, WindowState

__all__ = ["Applied", "PassState", "TableRoles", "WindowPass", "WindowState", "Windows", "order"]
