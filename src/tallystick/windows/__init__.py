"""Window features: declared in YAML, kept for each entity, exact in time and order."""

from tallystick.windows.declaration import Windows
from tallystick.windows.ordering import order
from tallystick.windows.passes import PassState, WindowPass
from tallystick.windows.roles import TableRoles
from tallystick.windows.state import WindowResult, WindowState

__all__ = ["PassState", "TableRoles", "WindowPass", "WindowResult", "WindowState", "Windows", "order"]
