//! The hybrid of run lengths and packed bits in which Parquet writes levels and indexes of a dictionary
//! (<https://parquet.apache.org/docs/file-format/data-pages/encodings/>), from runs.

/// Values that are packed together: shorter runs are not worth a run of their own.
const GROUP: usize = 8;

/// Encodes runs of a value and how often it stands in a row; all values take at most `width` bits.
pub(crate) fn encode(runs: &[(u32, u32)], width: u8) -> Vec<u8> {
    let mut hybrid = Hybrid {
        width,
        packed: Vec::new(),
        bytes: Vec::new(),
    };
    for &(value, length) in runs {
        hybrid.add(value, length as usize);
    }
    hybrid.flush();
    hybrid.bytes
}

/// The bits that the numbers below `count` take.
pub(crate) fn width(count: usize) -> u8 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()) as u8
}

struct Hybrid {
    width: u8,
    /// Values that wait to be packed.
    packed: Vec<u32>,
    bytes: Vec<u8>,
}

impl Hybrid {
    fn add(&mut self, value: u32, length: usize) {
        let open = self.packed.len().next_multiple_of(GROUP) - self.packed.len();
        let filling = length.min(open);
        let rest = length - filling;
        self.packed.extend(std::iter::repeat_n(value, filling));
        if rest < GROUP {
            self.packed.extend(std::iter::repeat_n(value, rest));
            return;
        }
        self.flush();
        self.number(rest << 1);
        let value = value.to_le_bytes();
        let bytes = usize::from(self.width.div_ceil(8));
        self.bytes.extend_from_slice(&value[..bytes]);
    }

    /// Writes what waits, in whole groups: readers know how many values there are.
    fn flush(&mut self) {
        if self.packed.is_empty() {
            return;
        }
        let groups = self.packed.len().div_ceil(GROUP);
        self.number(groups << 1 | 1);
        self.packed.resize(groups * GROUP, 0);
        let (mut bits, mut held) = (0_u64, 0);
        for &value in &self.packed {
            bits |= u64::from(value) << held;
            held += u32::from(self.width);
            if held >= u32::BITS {
                self.bytes.extend_from_slice(&(bits as u32).to_le_bytes());
                bits >>= u32::BITS;
                held -= u32::BITS;
            }
        }
        // Eight values of any width end with a byte.
        let rest = bits.to_le_bytes();
        self.bytes.extend_from_slice(&rest[..held as usize / 8]);
        self.packed.clear();
    }

    /// Writes a number, seven bits a byte, the lowest first.
    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_met() {
        // The numbers 0 to 7 in three bits each.
        let encoded = encode(&[0, 1, 2, 3, 4, 5, 6, 7].map(|value| (value, 1)), 3);
        assert_eq!(encoded, [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn long_runs_stand_once_and_short_ones_fill_groups() {
        let runs = [(1, 3), (2, 200), (1, 1)];
        let packed = [0b11, 0b1001_0101, 0b1010_1010];
        let run = [0b1000_0110, 0b11, 2];
        let last = [0b11, 0b1, 0];
        assert_eq!(encode(&runs, 2), [&packed[..], &run, &last].concat());
    }

    #[test]
    fn a_single_value_takes_no_bits() {
        assert_eq!(
            (width(0), width(1), width(2), width(256), width(257)),
            (0, 0, 1, 8, 9)
        );
        assert_eq!(encode(&[(0, 100)], 0), [0b1100_1000, 1]);
    }
}
