"""Where everything lies in the kernel's tables and in the state: one word, one int64.

A *track* is a list of buckets that an entity keeps: one for each tile (and currency) in which something
happened, or, in `exact`, one for each event. All windows of one entity with the same tiles share a track.

- Header of an entity: sequence, frontier (largest event time applied), first seen, then its tracks.
- Header of a track: segment, capacity, end, lead, reach, currency, then for each window its head and totals.
- A bucket: tile, subkey (currency or hash, where there is one), additive words, other words.

Buckets are numbered from 0 for ever and lie in a ring, `number & (capacity - 1)`: [head of the longest
window,
end) are kept, those before `lead` are old enough to be seen (all of them, without a delay), and `reach` is
the
tile that the frontier sees up to. Windows go from the longest to the shortest.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = ["NEVER", "NO_VALUE"]

#: No event yet, no time.
NEVER: Final = int(np.iinfo(np.int64).min)
#: No amount.
NO_VALUE: Final = NEVER

# An entity's header.
SEQUENCE, FRONTIER, FIRST, TRACKS = 0, 1, 2, 3
# A track's header; each window then takes its head and the additive words.
SEGMENT, CAPACITY, END, LEAD, REACH, CURRENCY, WINDOWS = 0, 1, 2, 3, 4, 5, 6

# Table of tracks.
(T_AT, T_TILE, T_LAG, T_CURRENT, T_EXACT, T_CAP, T_BUCKET, T_PREFIX, T_COMMON, T_ADDITIVE, T_SUBKEY,
 T_WINDOW, T_WINDOWS_END, T_ACC, T_ACCS_END, T_GATE, T_LABELS, T_HASH, T_SKETCH,
 T_FREE, T_INPUT, T_SHAPE, T_WIDTH) = range(23)  # fmt: skip
# Table of windows.
W_TILES, W_AT, W_OUT, W_OUTS_END, W_WIDTH = range(5)
# Table of accumulators.
A_KIND, A_CONDITION, A_COLUMN, A_WORD, A_WIDTH = range(5)
# Table of outputs.
O_KIND, O_FEATURE, O_COUNT, O_WORD, O_OTHER, O_COLUMN, O_PARAMETER, O_WIDTH = range(8)
# Table of entities.
(E_WORDS, E_HORIZON, E_FIRST_SEEN, E_TRACK, E_TRACKS_END, E_SINGLE, E_FEATURE, E_FEATURES_END,
 E_WIDTH) = range(9)  # fmt: skip

# Subkeys of buckets.
NO_SUBKEY, BY_CURRENCY, BY_HASH = 0, 1, 2

# Shapes of tracks: those of one tiled window that count events, that add up one column of money, and others.
S_OTHER, S_COUNTS, S_MONEY = 0, 1, 2

# Accumulators. The first five add up; VALUE is the one amount of an exact bucket.
COUNT, COUNT_KNOWN, COUNT_NUMBER, SUM, SQUARES, KNOWN_SUM = 0, 1, 2, 3, 4, 13
LEAST, MOST, FIRST_TIME, LAST_TIME, NUMBER_SUM, NUMBER_SPREAD, NUMBER_LEAST, NUMBER_MOST = range(5, 13)

# Outputs.
(O_COUNT_OF, O_SUM, O_MEAN, O_STD, O_LEAST, O_MOST, O_RATIO, O_SHARE, O_SINCE_LAST, O_SINCE_FIRST,
O_SINCE_RUN,
 O_DISTINCT, O_TRIMMED, O_RATIO_TRIMMED, O_NUMBER_SUM, O_NUMBER_MEAN, O_NUMBER_STD, O_NUMBER_LEAST,
 O_NUMBER_MOST, O_NUMBER_RATIO, O_NUMBER_TRIMMED, O_NUMBER_RATIO_TRIMMED) = range(22)  # fmt: skip

# A row's cells. Bit 0 of its bits says that it is an event, no label event.
C_TIME, C_BITS, C_CURRENCY, C_VALUES = 0, 1, 2, 3

# The state's own numbers: words of the pool in use, events that left early, then free lists by track and
# class.
M_TOP, M_EARLY, M_FREE = 0, 1, 2
CLASSES = 40
