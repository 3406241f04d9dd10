"""Contracts: the schema of a table, checks as array programs, column names of public files, row counts."""

from tallystick.contracts.check import Checked
from tallystick.contracts.column import Column
from tallystick.contracts.column_mapping import ColumnMapping
from tallystick.contracts.contract import Contract, Normalizer
from tallystick.contracts.faults import Faults
from tallystick.contracts.formats import Format
from tallystick.contracts.inference import ColumnType, ColumnTypes
from tallystick.contracts.quarantine import QUARANTINE, quarantine_rows
from tallystick.contracts.reasons import REASONS
from tallystick.contracts.report import Report
from tallystick.contracts.written import written, written_schema

__all__ = [
    "QUARANTINE",
    "REASONS",
    "Checked",
    "Column",
    "ColumnMapping",
    "ColumnType",
    "ColumnTypes",
    "Contract",
    "Faults",
    "Format",
    "Normalizer",
    "Report",
    "quarantine_rows",
    "written",
    "written_schema",
]
