//! LightGBM's C interface made safe. Why not its binding, which is built on the same library: that makes datasets without
//! parameters, so that no feature can be declared categorical, and gives no way to grow tree by tree.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::null_mut;

use lightgbm3_sys as sys;

use crate::LearnError;

#[cfg(test)]
pub(crate) mod reference;

/// Parameters by LightGBM's names, and their values as text.
pub(crate) type LibraryParameters = BTreeMap<String, String>;

/// Values of features, one column after the other.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    /// `rows` values of each feature.
    pub(crate) values: &'a [f64],
    /// Number of features, at least 1.
    pub(crate) width: usize,
}

impl Matrix<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Rows and columns as LightGBM counts them.
    fn shape(&self) -> Result<(i32, i32), LearnError> {
        Ok((count(self.rows())?, count(self.width)?))
    }
}

/// Rows with labels, binned for training.
pub(crate) struct Dataset {
    handle: sys::DatasetHandle,
}

impl Dataset {
    /// Bins `matrix`; with `reference`, as that dataset is binned, which rows to validate on need.
    pub(crate) fn new(
        matrix: Matrix<'_>,
        label: &[f32],
        parameters: &LibraryParameters,
        reference: Option<&Dataset>,
    ) -> Result<Self, LearnError> {
        quiet();
        let (rows, columns) = matrix.shape()?;
        if label.len() != matrix.rows() {
            return Err(refused("labels and rows differ in number"));
        }
        let parameters = text(&joined(parameters))?;
        let mut dataset = Self { handle: null_mut() };
        // SAFETY: `values` holds rows × columns numbers, and LightGBM keeps none of the pointers.
        check(unsafe {
            sys::LGBM_DatasetCreateFromMat(
                matrix.values.as_ptr().cast(),
                sys::C_API_DTYPE_FLOAT64 as c_int,
                rows,
                columns,
                0,
                parameters.as_ptr(),
                reference.map_or(null_mut(), |reference| reference.handle),
                &raw mut dataset.handle,
            )
        })?;
        // SAFETY: the dataset lives, and `label` holds `rows` numbers, which are copied.
        check(unsafe {
            sys::LGBM_DatasetSetField(
                dataset.handle,
                c"label".as_ptr(),
                label.as_ptr().cast::<c_void>(),
                rows,
                sys::C_API_DTYPE_FLOAT32 as c_int,
            )
        })?;
        Ok(dataset)
    }

    /// Names the features in the model's text; there must be one name a feature.
    pub(crate) fn name_features(&mut self, names: &[String]) -> Result<(), LearnError> {
        let names = names
            .iter()
            .map(|name| text(name))
            .collect::<Result<Vec<CString>, _>>()?;
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the dataset lives, and LightGBM copies the texts; it refuses another number of names than of features.
        check(unsafe {
            sys::LGBM_DatasetSetFeatureNames(
                self.handle,
                pointers.as_mut_ptr(),
                count(pointers.len())?,
            )
        })
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: the handle is this dataset's own, and null handles are not freed.
        if !self.handle.is_null() {
            unsafe { sys::LGBM_DatasetFree(self.handle) };
        }
    }
}

/// The rows that a booster grows on, and the first that it [validates on](Booster::validate_on), as LightGBM counts them.
pub(crate) const TRAINED_ON: c_int = 0;
pub(crate) const VALIDATED_ON: c_int = 1;

/// Trees that are being grown on a dataset. A booster stays in the thread that made it.
pub(crate) struct Booster<'d> {
    handle: sys::BoosterHandle,
    datasets: PhantomData<&'d Dataset>,
}

impl<'d> Booster<'d> {
    /// A booster without trees, to be grown on `dataset`.
    pub(crate) fn new(
        dataset: &'d Dataset,
        parameters: &LibraryParameters,
    ) -> Result<Self, LearnError> {
        quiet();
        let parameters = text(&joined(parameters))?;
        let mut booster = Self::unborn();
        // SAFETY: the dataset lives longer than the booster, by the lifetime `'d`.
        check(unsafe {
            sys::LGBM_BoosterCreate(dataset.handle, parameters.as_ptr(), &raw mut booster.handle)
        })?;
        Ok(booster)
    }

    /// Adds rows on which the metric is measured while the trees grow.
    pub(crate) fn validate_on(&mut self, dataset: &'d Dataset) -> Result<(), LearnError> {
        // SAFETY: both live; the dataset lives longer than the booster, by the lifetime `'d`.
        check(unsafe { sys::LGBM_BoosterAddValidData(self.handle, dataset.handle) })
    }

    /// Grows one more tree; false if there is nothing left to split.
    pub(crate) fn grow(&mut self) -> Result<bool, LearnError> {
        quiet();
        let mut finished: c_int = 0;
        // SAFETY: the booster and its datasets live.
        check(unsafe { sys::LGBM_BoosterUpdateOneIter(self.handle, &raw mut finished) })?;
        Ok(finished == 0)
    }

    /// Grows one more tree along the first and second derivatives of a loss, one a row, by the sum of the trees so far; false if there
    /// is nothing left to split. The booster's objective must be `custom`.
    pub(crate) fn grow_along(
        &mut self,
        gradients: &[f32],
        hessians: &[f32],
    ) -> Result<bool, LearnError> {
        quiet();
        let rows = self.sums_length(TRAINED_ON)?;
        if gradients.len() != rows || hessians.len() != rows {
            return Err(refused("derivatives and rows differ in number"));
        }
        let mut finished: c_int = 0;
        // SAFETY: the booster and its datasets live, and there is one derivative of each kind a row, which is only read.
        check(unsafe {
            sys::LGBM_BoosterUpdateOneIterCustom(
                self.handle,
                gradients.as_ptr(),
                hessians.as_ptr(),
                &raw mut finished,
            )
        })?;
        Ok(finished == 0)
    }

    /// The sum of the trees so far for each row of [`TRAINED_ON`] or [`VALIDATED_ON`].
    pub(crate) fn sums(&self, of: c_int) -> Result<Vec<f64>, LearnError> {
        let mut sums = vec![0.0; self.sums_length(of)?];
        let mut length = 0_i64;
        // SAFETY: LightGBM writes as many values as it has just said, for which there is room.
        check(unsafe {
            sys::LGBM_BoosterGetPredict(self.handle, of, &raw mut length, sums.as_mut_ptr())
        })?;
        Ok(sums)
    }

    fn sums_length(&self, of: c_int) -> Result<usize, LearnError> {
        let mut length = 0_i64;
        // SAFETY: the booster lives, and refuses rows that it does not have.
        check(unsafe { sys::LGBM_BoosterGetNumPredict(self.handle, of, &raw mut length) })?;
        usize::try_from(length).map_err(|_| refused("a negative number of rows"))
    }

    /// The one metric of the parameters on the rows to validate on.
    pub(crate) fn validation(&self) -> Result<f64, LearnError> {
        let (mut length, mut values) = (0, [f64::NAN; 8]);
        // SAFETY: the booster was made with one metric, so it writes one value; there is room for eight.
        check(unsafe {
            sys::LGBM_BoosterGetEval(self.handle, 1, &raw mut length, values.as_mut_ptr())
        })?;
        Ok(values[0])
    }

    /// The trees in LightGBM's text format.
    pub(crate) fn to_text(&self) -> Result<String, LearnError> {
        let mut length = 0_i64;
        let mut buffer: Vec<u8> = Vec::new();
        // The first round asks for the length.
        for _ in 0..2 {
            buffer.resize(usize::try_from(length).unwrap_or_default(), 0);
            // SAFETY: LightGBM writes no more than the length of the buffer that it is told.
            check(unsafe {
                sys::LGBM_BoosterSaveModelToString(
                    self.handle,
                    0,
                    -1,
                    sys::C_API_FEATURE_IMPORTANCE_SPLIT as c_int,
                    length,
                    &raw mut length,
                    buffer.as_mut_ptr().cast(),
                )
            })?;
        }
        let text = CStr::from_bytes_until_nul(&buffer)
            .map_err(|error| LearnError::Lightgbm(error.to_string()))?;
        let text = text.to_str();
        Ok(text
            .map_err(|error| LearnError::Lightgbm(error.to_string()))?
            .to_owned())
    }

    fn unborn() -> Self {
        Self {
            handle: null_mut(),
            datasets: PhantomData,
        }
    }
}

impl Drop for Booster<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is this booster's own, and null handles are not freed.
        if !self.handle.is_null() {
            unsafe { sys::LGBM_BoosterFree(self.handle) };
        }
    }
}

/// A number as LightGBM counts.
pub(crate) fn count(number: usize) -> Result<i32, LearnError> {
    i32::try_from(number).map_err(|_| refused("more than 2,147,483,647 rows, features or trees"))
}

fn joined(parameters: &LibraryParameters) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join(" ")
}

fn text(text: &str) -> Result<CString, LearnError> {
    CString::new(text).map_err(|_| refused("a text with a zero byte"))
}

fn refused(message: &str) -> LearnError {
    LearnError::Lightgbm(message.to_owned())
}

fn check(code: c_int) -> Result<(), LearnError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: the message belongs to this thread, ends with a zero byte, and is copied before the next call.
    let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) };
    Err(LearnError::Lightgbm(message.to_string_lossy().into_owned()))
}

/// Keeps LightGBM from writing to the standard output of this process. It asks for that once a thread.
fn quiet() {
    unsafe extern "C" fn drop_message(_: *const c_char) {}
    // SAFETY: the callback does nothing, and exists as long as the process.
    unsafe { sys::LGBM_RegisterLogCallback(Some(drop_message)) };
}
