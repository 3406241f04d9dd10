"""Numbers and addresses that identify a person or an account: they are no words of a text.

What counts as one is wider than what can be proven, since a mistyped card number still names its holder:

e-mail: what stands around an `@`, without spaces.
IBAN: two letters, two check digits, and what follows until the remainder by 97 is 1, spaced or not.
Card, account, social security, phone, tax or passport number: five digits or more in one word; or digits in
    groups, with `-`, `.`, `/`, brackets or one space between them, seven or more in all (nine where only
    spaces part them), or three, two and four.

Dates such as 01/15/2023, amounts such as 1,250.00, and years side by side that are no card number by Luhn's
check stay words.
"""

from __future__ import annotations

import numpy as np

from tallystick.text.lanes import at_bits, digit_bits, kernel, low_bit

__all__ = ["drop_identifiers"]

IN_WORD = 5  # digits of one word, from which on it is a number of something
IN_GROUPS = 7  # digits in groups: the shortest phone numbers
IN_SPACES = 9  # the same where only spaces stand between: years and small numbers stand so as well
IBAN_SHORTEST, IBAN_LONGEST, IBAN_DIGITS = 15, 34, 8
_ONE = np.uint64(1)


@kernel
def drop_identifiers(data: np.ndarray, start: int, end: int, bounds: np.ndarray, edges: int) -> int:
    """Take words out that belong to something that identifies; return how many places are left.

    bounds: where the words of a text start and end, `edges` places; behind them is room for as many again.
    """
    found = write_addresses(data, start, end, bounds, edges)
    if found:
        edges = without(bounds, edges, found)
    runs = write_runs(data, start, end, bounds, edges)
    found = write_numbers(data, start, end, bounds, edges, runs)
    return without(bounds, edges, found) if found else edges


@kernel
def without(bounds: np.ndarray, edges: int, spans: int) -> int:
    """Leave words out that overlap one of the spans behind them; both are in order, spans too may overlap."""
    kept = 0
    span, last = edges, edges + spans
    for edge in range(0, edges, 2):
        first, after = bounds[edge], bounds[edge + 1]
        while span < last and bounds[span + 1] <= first:
            span += 2
        if span < last and bounds[span] < after:
            continue
        bounds[kept], bounds[kept + 1] = first, after
        kept += 2
    return kept


@kernel
def is_word_byte(byte: int) -> bool:
    """Say whether a byte belongs to a word: an ASCII letter, digit, underscore, or any above ASCII."""
    return 97 <= byte | 0x20 <= 122 or 48 <= byte <= 57 or byte == 0x5F or byte >= 0x80


@kernel
def is_address_byte(byte: int) -> bool:
    """Say whether a byte may stand in an e-mail address."""
    return is_word_byte(byte) or byte == 0x2E or byte == 0x2D or byte == 0x2B or byte == 0x25


@kernel
def write_addresses(data: np.ndarray, start: int, end: int, bounds: np.ndarray, to: int) -> int:
    """Write where e-mail addresses start and end to bounds[to:]; return how many places that are."""
    n = 0
    for base in range(start, end, 64):
        bits = at_bits(data, base)
        while bits != 0:
            at = base + low_bit(bits)
            bits &= bits - _ONE
            if at >= end:
                break
            first, after = at, at + 1
            while first > start and is_address_byte(data[first - 1]):
                first -= 1
            while after < end and is_address_byte(data[after]):
                after += 1
            if first < at and after > at + 1:
                bounds[to + n], bounds[to + n + 1] = first, after
                n += 2
    return n


@kernel
def write_runs(data: np.ndarray, start: int, end: int, bounds: np.ndarray, to: int) -> int:
    """Write where runs of digits start and end to bounds[to:]; return how many places that are."""
    n = 0
    inside = np.uint64(0)
    for base in range(start, end, 64):
        digits = digit_bits(data, base)
        if end - base < 64:
            digits &= (_ONE << np.uint64(end - base)) - _ONE
        change = digits ^ (digits << _ONE | inside)
        inside = digits >> np.uint64(63)
        while change != 0:
            bounds[to + n] = base + low_bit(change)
            n += 1
            change &= change - _ONE
    if n & 1:
        bounds[to + n] = end
        n += 1
    return n


@kernel
def gap_of(data: np.ndarray, at: int, to: int) -> int:
    """Say what stands between two runs of digits: 0 for what parts them, 1 for parts of one word.

    Else the separator: a space where there are only spaces, the mark where there is one.
    """
    if to - at > 16:
        return 0
    inside = True
    for i in range(at, to):
        inside = inside and is_word_byte(data[i])
    if inside:
        return 1
    if to - at > 2:
        return 0
    mark = 0x20
    for i in range(at, to):
        byte = int(data[i])
        if byte != 0x20 and byte != 0x2D and byte != 0x2E and byte != 0x2F and byte != 0x28 and byte != 0x29:
            return 0
        if byte != 0x20:
            mark = byte
    return mark


@kernel
def number_at(data: np.ndarray, at: int, to: int) -> int:
    """Read up to four digits."""
    value = 0
    for i in range(at, min(to, at + 4)):
        value = value * 10 + int(data[i]) - 48
    return value


@kernel
def is_date(data: np.ndarray, runs: np.ndarray, i: int, last: int) -> bool:
    """Say whether three runs of digits from place i on are a date: 1/15/23, 15.01.2023, 2023-01-15."""
    if i + 6 > last:
        return False
    mark = gap_of(data, runs[i + 1], runs[i + 2])
    if mark != 0x2D and mark != 0x2E and mark != 0x2F:
        return False
    if gap_of(data, runs[i + 3], runs[i + 4]) != mark:
        return False
    one, two, three = runs[i + 1] - runs[i], runs[i + 3] - runs[i + 2], runs[i + 5] - runs[i + 4]
    first, second = number_at(data, runs[i], runs[i + 1]), number_at(data, runs[i + 2], runs[i + 3])
    if one == 4:
        third = number_at(data, runs[i + 4], runs[i + 5])
        return two <= 2 and three <= 2 and 1 <= second <= 12 and 1 <= third <= 31
    if one > 2 or two > 2 or not (three == 2 or three == 4):
        return False
    return 1 <= first <= 31 and 1 <= second <= 31 and (first <= 12 or second <= 12)


@kernel
def is_social_security(data: np.ndarray, runs: np.ndarray, i: int, last: int) -> bool:
    """Say whether three runs of digits from place i on have three, two and four digits."""
    return (
        i + 6 <= last
        and runs[i + 1] - runs[i] == 3
        and runs[i + 3] - runs[i + 2] == 2
        and runs[i + 5] - runs[i + 4] == 4
        and gap_of(data, runs[i + 1], runs[i + 2]) > 1
        and gap_of(data, runs[i + 3], runs[i + 4]) > 1
    )


@kernel
def passes_luhn(data: np.ndarray, at: int, to: int) -> bool:
    """Check the digits between two places by Luhn's sum, other characters passed over."""
    total, place = 0, 0
    for i in range(to - 1, at - 1, -1):
        if 48 <= data[i] <= 57:
            digit = int(data[i]) - 48
            if place & 1:
                digit = 2 * digit - 9 if digit > 4 else 2 * digit
            total += digit
            place += 1
    return total % 10 == 0


@kernel
def iban_end(data: np.ndarray, at: int, end: int) -> int:
    """Return where the IBAN ends that starts at a place; 0 where none does.

    Its characters may stand in groups, with one space or hyphen between them.
    """
    lead = 0
    for i in range(2):
        lead = lead * 100 + (int(data[at + i]) | 0x20) - 87  # a is 10
    lead = lead * 100 + number_at(data, at + 2, at + 4)
    remainder, size, digits, found = 0, 4, 0, 0
    i = at + 4
    while i < end and size < IBAN_LONGEST:
        byte = int(data[i])
        if 48 <= byte <= 57:
            remainder = (remainder * 10 + byte - 48) % 97
            digits += 1
        elif 97 <= byte | 0x20 <= 122:
            remainder = (remainder * 100 + (byte | 0x20) - 87) % 97
        elif (byte == 0x20 or byte == 0x2D) and i + 1 < end and is_word_byte(data[i + 1]):
            i += 1
            continue
        else:
            break
        size += 1
        i += 1
        whole = i >= end or not is_word_byte(data[i])
        enough = whole and size >= IBAN_SHORTEST and digits >= IBAN_DIGITS
        if enough and (remainder * 1_000_000 + lead) % 97 == 1:
            found = i
    return found


@kernel
def write_numbers(data: np.ndarray, start: int, end: int, bounds: np.ndarray, to: int, runs_: int) -> int:
    """Write where numbers that identify start and end over the runs in bounds[to:]; return how many places.

    No more spans are written than runs were read, so a span never takes the place of a run that is to come.
    """
    runs = bounds[to : to + runs_]
    n = i = 0
    while i < runs_:
        first = runs[i]
        # As one word: all runs that only letters part.
        digits, j = runs[i + 1] - first, i + 2
        while j < runs_ and gap_of(data, runs[j - 1], runs[j]) == 1:
            digits += runs[j + 1] - runs[j]
            j += 2
        iban = 0
        if first - start >= 2 and runs[i + 1] - first >= 2 and 97 <= data[first - 1] | 0x20 <= 122:
            alone = first - start == 2 or not is_word_byte(data[first - 3])
            if alone and 97 <= data[first - 2] | 0x20 <= 122:
                iban = iban_end(data, first - 2, end)
        if iban:
            after = i
            while after < runs_ and runs[after] < iban:
                after += 2
            runs[n], runs[n + 1] = first - 2, iban
            n += 2
            i = after
            continue
        if j > i + 2:
            if digits >= IN_WORD:
                last = runs[j - 1]
                runs[n], runs[n + 1] = first, last
                n += 2
            i = j
            continue
        if is_social_security(data, runs, i, runs_):
            last = runs[i + 5]
            runs[n], runs[n + 1] = first, last
            n += 2
            i += 6
            continue
        if is_date(data, runs, i, runs_):
            i += 6
            continue
        j = group_end(data, runs, i, runs_)
        if identifies(data, runs, i, j):
            last = runs[j - 1]
            runs[n], runs[n + 1] = first, last
            n += 2
            i = j
        elif j > i + 2 and runs[j - 1] - runs[j - 2] <= 2 and data[runs[j - 2] - 1] == 0x2E:
            i = j  # an amount: what follows its cents is another number
        else:
            i += 2
    return n


@kernel
def group_end(data: np.ndarray, runs: np.ndarray, i: int, last: int) -> int:
    """Return the place after the runs of digits that stand in one group from place i on."""
    j = i + 2
    while j < last:
        gap = gap_of(data, runs[j - 1], runs[j])
        if gap < 2:
            break
        if gap == 0x2E and runs[j + 1] - runs[j] <= 2:  # cents, or the end of a sentence
            following = gap_of(data, runs[j + 1], runs[j + 2]) if j + 2 < last else 0
            return j if following == 0x2E else j + 2
        if is_date(data, runs, j, last):
            break
        if j + 2 < last and gap_of(data, runs[j + 1], runs[j + 2]) == 1:  # a word such as 4b
            break
        j += 2
    return j


@kernel
def identifies(data: np.ndarray, runs: np.ndarray, i: int, j: int) -> bool:
    """Say whether a group of runs of digits is too long to be anything but somebody's number."""
    digits, spaced, years = 0, True, True
    longest = 0
    for k in range(i, j, 2):
        size = runs[k + 1] - runs[k]
        digits += size
        longest = max(longest, size)
        years = years and size == 4 and 1900 <= number_at(data, runs[k], runs[k + 1]) < 2100
        if k > i:
            spaced = spaced and gap_of(data, runs[k - 1], runs[k]) == 0x20
    if longest >= IN_WORD:
        return True
    if j - i > 2 and runs[j - 1] - runs[j - 2] <= 2 and data[runs[j - 2] - 1] == 0x2E:
        digits -= runs[j - 1] - runs[j - 2]  # cents
    if digits < (IN_SPACES if spaced else IN_GROUPS):
        return False
    return not years or (digits >= 12 and passes_luhn(data, runs[i], runs[j - 1]))
