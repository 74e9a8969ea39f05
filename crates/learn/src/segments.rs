//! Segments: clusters of similar rows, found without a label, named and kept, so that the rows of another date can be
//! assigned to them.
//!
//! [`fit_segments`] scales the features robustly, tries k-means and Gaussian mixtures with several numbers of clusters,
//! chooses among them by silhouette and by stability under resampling, and gives a [`SegmentModel`] whose segments have a
//! fixed order and names in words.
//!
//! ```
//! use safra_learn::{Examples, SegmentFeature, SegmentsParameters, fit_segments};
//!
//! let revenue: Vec<f64> = (0..60).map(|row| if row % 3 == 0 { 900.0 } else { 100.0 } + f64::from(row)).collect();
//! let examples = Examples::new(vec!["revenue".into()], vec![revenue], vec![None; 60])?;
//!
//! let revenue = SegmentFeature::new("revenue", "large", "small");
//! let segmentation = fit_segments(&examples.all(), &[revenue], Some("revenue"), &SegmentsParameters::default(), 0)?;
//! assert_eq!(segmentation.segments().next(), Some("large"));
//! # Ok::<(), safra_learn::LearnError>(())
//! ```

mod choice;
mod clusters;
mod components;
mod fit;
mod model;
mod movements;
mod names;
mod parameters;
mod scale;
mod silhouette;
mod stability;

pub use choice::{Candidate, Choice, Stability};
pub use clusters::Algorithm;
pub use components::Components;
pub use fit::{SegmentFeature, fit_segments};
pub use model::{Assignment, SegmentModel};
pub use movements::Movements;
pub use parameters::SegmentsParameters;
pub use stability::adjusted_rand_index;

/// What errors and saved files call this way of learning.
pub(crate) const NAME: &str = "segments";
