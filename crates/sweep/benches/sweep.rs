//! The two shapes that a sweep must handle well: many small entities, and one large one.

mod input;

use divan::Bencher;
use input::{Input, WINDOWS, aggregates, dates, many_entities};
use safra_sweep::sweep_steps;

fn main() {
    divan::main();
}

/// Many small entities.
#[divan::bench(args = [14, 545], sample_count = 10)]
fn many(bencher: Bencher, dates: i64) {
    measure(bencher, many_entities(), dates);
}

/// One entity with 300,000 rows.
#[divan::bench(args = [14, 545], sample_count = 5)]
fn large(bencher: Bencher, dates: i64) {
    measure(bencher, vec![0; 300_000], dates);
}

fn measure(bencher: Bencher, entity: Vec<u32>, count: i64) {
    let input = Input::new(entity);
    let dates = dates(count);
    bencher.bench_local(|| sweep_steps(&input.rows(), &WINDOWS, &aggregates(), &dates));
}
