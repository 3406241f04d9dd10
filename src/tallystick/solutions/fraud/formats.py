"""Makes of file in which the time counts steps, known by their headings."""

from __future__ import annotations

from tallystick.contracts import Format

__all__ = ["FORMATS"]

#: PaySim counts hours, AMLSim days, the ULB set seconds. Headings that elsewhere mean anything stand here.
FORMATS = (
    Format(
        "PaySim",
        ("step", "type", "amount", "nameOrig", "nameDest"),
        names=(("step", "event_time"),),
        time="step",
        step="1h",
    ),
    Format(
        "AMLSim",
        ("SENDER_ACCOUNT_ID", "RECEIVER_ACCOUNT_ID", "TX_AMOUNT", "TIMESTAMP"),
        time="TIMESTAMP",
        step="1d",
    ),
    Format(
        "AMLSim sample",
        ("sourceNodeId", "targetNodeId", "value", "time"),
        names=(("value", "amount"),),
        time="time",
        step="1d",
    ),
    Format(
        "ULB",
        ("Time", "V1", "V2", "V28", "Amount"),
        names=(("Class", "is_fraud"),),
        time="Time",
        step="1s",
    ),
)
