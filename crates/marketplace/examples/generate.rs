//! Generates a marketplace: `generate SCALE SEED FOLDER [UNTIL [truth]]`.

use std::error::Error;
use std::path::Path;

use safra_marketplace::{Parameters, generate};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scale, seed, folder, rest @ ..] = arguments.as_slice() else {
        return Err("usage: generate SCALE SEED FOLDER [UNTIL [truth]]".into());
    };
    let mut parameters = Parameters {
        scale: scale.parse()?,
        seed: seed.parse()?,
        ..Parameters::default()
    };
    if let Some(until) = rest.first() {
        parameters.until = until.parse()?;
    }
    parameters.truth = rest.get(1).is_some_and(|word| word == "truth");
    let generated = generate(&parameters, Path::new(folder), &|_, _| {})?;
    for (table, rows) in generated.rows {
        println!("{}: {rows}", table.file_name());
    }
    Ok(())
}
