import pytest

from tallystick.models.slices import in_slices


@pytest.mark.parametrize("rows", [0, 1, 7, 100])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_row_is_worked_on_once(rows: int, threads: int) -> None:
    seen: list[int] = []
    in_slices(lambda first, last: seen.extend(range(first, last)), rows, threads, least=2)
    assert sorted(seen) == list(range(rows))


def test_what_goes_wrong_on_a_thread_is_heard() -> None:
    with pytest.raises(ZeroDivisionError):
        in_slices(lambda first, last: 1 // 0, 100, 2, least=2)
