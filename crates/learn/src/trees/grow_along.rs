//! Growing trees along the derivatives of a loss that LightGBM does not have.

use super::ensemble::{Ensemble, Scale};
use super::grow::{Growth, STAGE, is_exhausted, library_names, stage};
use super::library::{Booster, TRAINED_ON, VALIDATED_ON};
use crate::{LearnError, Rows, Stage};

/// Trees between two [refreshes](Loss::refresh) of a loss; a divisor of those of a stage, so that the first trees of many are the
/// trees of a few.
const FRESH: u32 = 5;

/// A loss of the sum of the trees, row by row, that may have parameters of its own.
pub(crate) trait Loss {
    /// Fits its own parameters to the sums of the trees so far.
    fn refresh(&mut self, sums: &[f64]);

    /// The first and second derivative of each row's loss by the sum of its trees.
    fn derivatives(&self, sums: &[f64], gradients: &mut [f32], hessians: &mut [f32]);
}

/// Grows trees on `rows` along the derivatives of `loss`, whose own parameters are those of the last tree in the end.
///
/// # Errors
/// If there is no feature, or LightGBM refuses.
pub(crate) fn grow_along(
    growth: &Growth,
    rows: &Rows<'_>,
    loss: &mut dyn Loss,
    seed: u64,
) -> Result<Ensemble, LearnError> {
    let encoding = growth.encoding(rows)?;
    let parameters = growth.all_parameters(&encoding, seed);
    let labels = vec![0.0; rows.len()];
    let mut dataset = growth.dataset_with(&encoding, rows, &labels, &parameters, None)?;
    dataset.name_features(&library_names(encoding.features()))?;
    let mut booster = Booster::new(&dataset, &parameters)?;
    grow_from(&mut booster, loss, 0, growth.trees)?;
    Ensemble::new(growth.learner, encoding, Scale::Sum, booster.to_text()?)
}

/// Grows trees on `rows` along the derivatives of `loss`, and lets `judge` look at the loss and at the sums of the trees for the
/// rows of `validation` every 25 trees: it gives their scores, and how bad these are. Growth ends early when they have not
/// become better for four stages.
///
/// # Errors
/// As [`grow_along`].
pub(crate) fn grow_along_in_stages<L: Loss>(
    growth: &Growth,
    rows: &Rows<'_>,
    loss: &mut L,
    validation: &Rows<'_>,
    seed: u64,
    judge: impl Fn(&L, Vec<f64>) -> (Vec<f64>, f64),
) -> Result<Vec<Stage>, LearnError> {
    let encoding = growth.encoding(rows)?;
    let parameters = growth.all_parameters(&encoding, seed);
    let labels = vec![0.0; rows.len().max(validation.len())];
    let dataset = |rows: &Rows<'_>, reference| {
        growth.dataset_with(
            &encoding,
            rows,
            &labels[..rows.len()],
            &parameters,
            reference,
        )
    };
    let trained_on = dataset(rows, None)?;
    let validated_on = dataset(validation, Some(&trained_on))?;
    let mut booster = Booster::new(&trained_on, &parameters)?;
    booster.validate_on(&validated_on)?;
    let (mut stages, mut losses) = (Vec::new(), Vec::new());
    let (mut trees, mut growing) = (0, true);
    while growing && trees < growth.trees && !is_exhausted(&losses) {
        let until = growth.trees.min(trees + STAGE);
        growing = grow_from(&mut booster, loss, trees, until)?;
        trees = until;
        let (scores, badness) = judge(loss, booster.sums(VALIDATED_ON)?);
        losses.push(badness);
        stages.push(stage((trees, scores)));
    }
    Ok(stages)
}

/// Grows trees `from..until`; false if there was nothing left to split.
fn grow_from(
    booster: &mut Booster<'_>,
    loss: &mut (impl Loss + ?Sized),
    from: u32,
    until: u32,
) -> Result<bool, LearnError> {
    let mut sums = booster.sums(TRAINED_ON)?;
    let (mut gradients, mut hessians) = (vec![0.0; sums.len()], vec![0.0; sums.len()]);
    let mut growing = true;
    for tree in from + 1..=until {
        loss.derivatives(&sums, &mut gradients, &mut hessians);
        growing = booster.grow_along(&gradients, &hessians)?;
        sums = booster.sums(TRAINED_ON)?;
        if tree % FRESH == 0 || tree == until || !growing {
            loss.refresh(&sums);
        }
        if !growing {
            break;
        }
    }
    Ok(growing)
}
