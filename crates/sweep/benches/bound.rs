//! How close a sweep is to the least that it could do: read its input once and write its output once.
//!
//! Prints a JSON document for each shape, with the seconds of one thread and the sizes of input and output.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod input;

use std::hint::black_box;
use std::time::Instant;

use arrow::array::Array;
use arrow::buffer::Buffer;
use input::{Input, WINDOWS, aggregates, dates, many_entities};
use safra_sweep::{Steps, Values, sweep_steps};
use serde_json::json;

/// Repetitions, of which the fastest counts.
const REPETITIONS: usize = 7;
const MIB: f64 = 1_048_576.0;

fn main() {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    compare("2,500 entities, 100,000 rows", many_entities());
    compare("one entity, 300,000 rows", vec![0; 300_000]);
}

fn compare(what: &str, entity: Vec<u32>) {
    let input = Input::new(entity);
    for count in [14, 545] {
        let dates = dates(count);
        let run = || sweep_steps(&input.rows(), &WINDOWS, &aggregates(), &dates).unwrap();
        let (read, written) = (buffers(&input), lengths(&run()));
        let input_bytes: usize = read.iter().map(Buffer::len).sum();
        let output_bytes: usize = written.iter().sum();
        let found = json!({
            "what": format!("{what}, {count} dates, 20 aggregates in 5 windows"),
            "input_mib": input_bytes as f64 / MIB,
            "output_mib": output_bytes as f64 / MIB,
            "sweep": fastest(|| drop(black_box(run()))),
            "bound": fastest(|| read_and_write(&read, &written)),
        });
        println!("{found}");
    }
}

/// Seconds of the fastest repetition.
fn fastest(mut run: impl FnMut()) -> f64 {
    let mut once = || {
        let started = Instant::now();
        run();
        started.elapsed().as_secs_f64()
    };
    (0..REPETITIONS)
        .map(|_| once())
        .fold(f64::INFINITY, f64::min)
}

/// Reads every byte of the input, and writes arrays of these lengths in bytes.
fn read_and_write(input: &[Buffer], output: &[usize]) {
    let mut sum = 0_u64;
    for buffer in input {
        let (words, rest) = buffer.as_slice().as_chunks::<8>();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let rest = rest.iter().map(|&byte| u64::from(byte));
        sum = words.chain(rest).fold(sum, u64::wrapping_add);
    }
    for &length in output {
        let words = length.div_ceil(8) as u64;
        let array: Vec<u64> = (0..words).map(|word| word ^ sum).collect();
        drop(black_box(array));
    }
    black_box(sum);
}

/// All that a sweep reads.
fn buffers(input: &Input) -> Vec<Buffer> {
    let mut buffers = vec![
        Buffer::from_slice_ref(&input.entity),
        Buffer::from_slice_ref(&input.time),
        Buffer::from_slice_ref(&input.valid_from),
        Buffer::from_slice_ref(&input.valid_to),
    ];
    for column in &input.columns {
        let data = column.to_data();
        buffers.extend(data.buffers().iter().cloned());
        buffers.extend(data.nulls().map(|nulls| nulls.buffer().clone()));
    }
    buffers
}

/// The bytes of each array that a sweep writes.
fn lengths(steps: &Steps) -> Vec<usize> {
    let keys = [size_of_val(&steps.entity[..]), size_of_val(&steps.date[..])];
    let ends = steps
        .windows
        .iter()
        .map(|window| size_of_val(&window.ends[..]));
    let arrays = steps.windows.iter().flat_map(|window| &window.values);
    let arrays = arrays.map(|values| match values {
        Values::Steps(array) | Values::Rows(array) => array.get_buffer_memory_size(),
    });
    keys.into_iter().chain(ends).chain(arrays).collect()
}
