"""Sorting networks that find the median of 5x5 values, for any kind of array.

All rows are sorted column by column, then each row; in a matrix sorted so, only few
places can hold the median. A step is a compare-exchange: the lesser value goes to the
first place, the greater to the second.
"""

# Compare-exchanges that sort five values.
SORT = ((0, 3), (1, 4), (0, 2), (1, 3), (0, 1), (2, 4), (1, 2), (3, 4), (2, 3))
# In a 5x5 matrix whose columns and rows are sorted, the median is one of these places:
# fewer than 13 of the others are surely below it, and fewer than 13 above.
MIDDLE = [
    (row, column)
    for row in range(5)
    for column in range(5)
    if max((row + 1) * (column + 1), (5 - row) * (5 - column)) <= 13
]
# Compare-exchanges that then bring the median to the middle of these 13. Found by a
# search over the 252 sorted matrices of zeros and ones, which prove it.
MEDIAN = (
    *((1, 9), (1, 6), (3, 11), (6, 11), (7, 12), (0, 8), (1, 3), (3, 6), (4, 10)),
    *((6, 9), (2, 5), (4, 7), (5, 8), (4, 8), (4, 6), (6, 8), (3, 6)),
)


def sort_five(values, minimum, maximum):
    """Sorts five values.

    Args:
        values: five arrays of one shape, or what else the two functions take.
        minimum: function of two of them that returns the lesser values.
        maximum: likewise, the greater.

    Returns:
        A list of five, from least to greatest.
    """
    return exchange(values, SORT, range(5), minimum, maximum)


def median_of_rows(rows, minimum, maximum):
    """Median of 25 values in five rows that are sorted column by column.

    Args:
        rows: five rows of five values, from least to greatest row.
        minimum: function of two values that returns the lesser.
        maximum: likewise, the greater.

    Returns:
        The median.
    """
    values = []
    for row, line in enumerate(rows):
        wanted = [column for i, column in MIDDLE if i == row]
        values += exchange(line, SORT, wanted, minimum, maximum)
    return exchange(values, MEDIAN, [6], minimum, maximum)[0]


def exchange(values, network, wanted, minimum, maximum):
    """Wanted places after compare-exchanges, without what they do not need."""
    needed, steps = set(wanted), []
    for low, high in reversed(network):
        steps.append((low, high, low in needed, high in needed))
        if needed & {low, high}:
            needed |= {low, high}
    values = list(values)
    for low, high, lesser, greater in reversed(steps):
        pair = values[low], values[high]
        if lesser:
            values[low] = minimum(*pair)
        if greater:
            values[high] = maximum(*pair)
    return [values[i] for i in wanted]
