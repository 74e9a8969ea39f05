//! Sorting by numbers that are dense: how many there are of each tells where it goes. It takes no comparisons.

/// Where the values of each number begin among values that are sorted by their numbers, of which there are so many; what has no
/// number is left out.
pub fn starts_of(numbers: impl Iterator<Item = Option<u32>>, count: usize) -> Vec<usize> {
    let mut starts = vec![0; count + 1];
    for number in numbers.flatten() {
        starts[number as usize + 1] += 1;
    }
    for number in 0..count {
        starts[number + 1] += starts[number];
    }
    starts
}

/// The values sorted by their numbers, and those of a number in their order; `starts` is what [`starts_of`] says of the same numbers.
pub fn sorted<T: Copy + Default>(
    numbered: impl Iterator<Item = (Option<u32>, T)>,
    starts: &[usize],
) -> Vec<T> {
    let mut next = starts.to_vec();
    let mut values = vec![T::default(); starts.last().copied().unwrap_or_default()];
    for (number, value) in numbered {
        if let Some(number) = number {
            let place = &mut next[number as usize];
            values[*place] = value;
            *place += 1;
        }
    }
    values
}

/// The rows, counted from 0, sorted by their numbers; else as [`sorted`].
pub fn by_number(numbers: impl Iterator<Item = Option<u32>>, starts: &[usize]) -> Vec<u32> {
    let rows = numbers.zip(0..);
    sorted(rows, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_number_is_sorted_by_it_and_else_stays_in_order() {
        let numbers = [Some(2), None, Some(0), Some(2), Some(0)];
        let starts = starts_of(numbers.into_iter(), 4);
        assert_eq!(starts, [0, 2, 2, 4, 4]);
        assert_eq!(by_number(numbers.into_iter(), &starts), [2, 4, 0, 3]);
        let named = numbers.into_iter().zip("abcde".chars());
        assert_eq!(sorted(named, &starts), ['c', 'e', 'a', 'd']);
    }
}
