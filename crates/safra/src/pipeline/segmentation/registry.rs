//! The registered model of a segmentation: found again, or fitted and made champion.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use safra_learn::{SegmentFeature, SegmentModel, SegmentsParameters, fit_segments};
use safra_mlflow::{ModelVersion, Store};
use safra_project::Segmentation;
use sha2::{Digest, Sha256};

use super::super::model::{self, CHAMPION};
use super::super::prepared::Prepared;
use super::super::provenance::Provenance;
use super::super::training::TRAINED_AT;
use super::logging::Found;
use crate::context::{Context, now_millis};
use crate::error::SafraError;

/// Tag of a version with a hash of what was declared to be divided, and how.
const DECLARATION: &str = "safra.declaration";
/// Tag of a version with a hash of the declaration, the data and the code.
const FINGERPRINT: &str = "safra.fingerprint";

/// The registered model of a segmentation.
pub(super) struct Registry<'a> {
    context: &'a Context,
    segmentation: &'a Segmentation,
    name: String,
    store: Box<dyn Store>,
}

impl<'a> Registry<'a> {
    pub(super) fn open(
        context: &'a Context,
        segmentation: &'a Segmentation,
    ) -> Result<Self, SafraError> {
        Ok(Self {
            context,
            segmentation,
            name: context.registered_name(&segmentation.name),
            store: context.store()?,
        })
    }

    /// The version in use.
    pub(super) fn champion(&self) -> Result<Option<ModelVersion>, SafraError> {
        Ok(match self.store.get_registered_model(&self.name)? {
            Some(_) => self
                .store
                .get_model_version_by_alias(&self.name, CHAMPION)?,
            None => None,
        })
    }

    /// The champion, if it may divide the cohort of a date: it was fitted on that date or before, and to what is declared now.
    pub(super) fn usable_champion(
        &self,
        date: NaiveDate,
    ) -> Result<Option<(ModelVersion, SegmentModel)>, SafraError> {
        let Some(version) = self.champion()? else {
            return Ok(None);
        };
        let is_declared = version.tags.get(DECLARATION) == Some(&self.declaration());
        let is_known = fitted_at(&version).is_some_and(|fitted| fitted <= date);
        match is_declared && is_known {
            true => Ok(Some((version.clone(), self.load(&version)?))),
            false => Ok(None),
        }
    }

    /// Finds segments in a cohort and registers them, unless the same were registered before. They become champion when
    /// `is_wanted`, or when the champion is of another declaration or not of a later date. Says whether they are new.
    pub(super) fn fit(
        &self,
        cohort: &Prepared,
        date: NaiveDate,
        is_wanted: bool,
        provenance: &Provenance,
    ) -> Result<(ModelVersion, SegmentModel, bool), SafraError> {
        let fingerprint = self.fingerprint(cohort, date);
        let (version, model, is_new) = match self.registered(&fingerprint)? {
            Some(version) => {
                let model = self.load(&version)?;
                (version, model, false)
            }
            None => {
                let model = self.find(cohort)?;
                let found = Found {
                    store: self.store.as_ref(),
                    name: &self.name,
                    segmentation: self.segmentation,
                    model: &model,
                    cohort,
                    date,
                    seed: self.context.project.settings.seed,
                    provenance,
                    tags: BTreeMap::from([
                        (DECLARATION.to_owned(), self.declaration()),
                        (FINGERPRINT.to_owned(), fingerprint),
                    ]),
                };
                (found.register()?, model, true)
            }
        };
        self.promote(&version, date, is_wanted)?;
        Ok((version, model, is_new))
    }

    fn promote(
        &self,
        version: &ModelVersion,
        date: NaiveDate,
        is_wanted: bool,
    ) -> Result<(), SafraError> {
        let keeps = match self.champion()? {
            None => false,
            Some(champion) if champion.version == version.version => true,
            Some(champion) => {
                let same = champion.tags.get(DECLARATION) == version.tags.get(DECLARATION);
                let is_later = fitted_at(&champion).is_some_and(|fitted| fitted > date);
                same && is_later && !is_wanted
            }
        };
        if !keeps {
            let number = version.version;
            self.store
                .set_registered_model_alias(&self.name, CHAMPION, number, now_millis())?;
        }
        Ok(())
    }

    fn load(&self, version: &ModelVersion) -> Result<SegmentModel, SafraError> {
        let saved = model::saved(self.store.as_ref(), version)?;
        Ok(SegmentModel::load(&saved)?)
    }

    /// The latest version of the same data, declarations and code.
    fn registered(&self, fingerprint: &str) -> Result<Option<ModelVersion>, SafraError> {
        if self.store.get_registered_model(&self.name)?.is_none() {
            return Ok(None);
        }
        let same = |version: &ModelVersion| {
            let held = version.tags.get(FINGERPRINT);
            held.is_some_and(|held| held == fingerprint)
        };
        let versions = self.store.list_model_versions(&self.name)?.into_iter();
        Ok(versions.filter(same).max_by_key(|version| version.version))
    }

    fn find(&self, cohort: &Prepared) -> Result<SegmentModel, SafraError> {
        let clustering = &self.segmentation.clustering;
        let features = clustering.features.iter().map(|feature| SegmentFeature {
            name: feature.name.clone(),
            high: feature.high.clone(),
            low: feature.low.clone(),
        });
        let features: Vec<SegmentFeature> = features.collect();
        let json = |value| serde_json::to_value(value).unwrap_or_default();
        let parameters = clustering.parameters.iter();
        let parameters = parameters.map(|(name, value)| (name.clone(), json(value)));
        let parameters = SegmentsParameters::with(&parameters.collect())?;
        Ok(fit_segments(
            &cohort.examples.all(),
            &features,
            clustering.order_by.as_deref(),
            &parameters,
            self.context.project.settings.seed,
        )?)
    }

    fn declaration(&self) -> String {
        let Segmentation {
            entity,
            cohort,
            features,
            clustering,
            ..
        } = self.segmentation;
        let text = format!("{entity:?}{}{features:?}{clustering:?}", cohort.sql);
        hex(Sha256::new().chain_update(text))
    }

    fn fingerprint(&self, cohort: &Prepared, date: NaiveDate) -> String {
        let seed = self.context.project.settings.seed;
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(format!("{}{date}{seed}", self.declaration()));
        for name in cohort.examples.feature_names() {
            hash.update(name);
            for value in cohort.examples.column(name).unwrap_or_default() {
                hash.update(value.to_bits().to_le_bytes());
            }
        }
        hex(hash)
    }
}

fn fitted_at(version: &ModelVersion) -> Option<NaiveDate> {
    version.tags.get(TRAINED_AT)?.parse().ok()
}

fn hex(hash: Sha256) -> String {
    let digits = hash.finalize();
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}
