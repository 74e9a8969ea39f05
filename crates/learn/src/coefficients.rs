//! Coefficients of a logistic regression: L-BFGS (argmin) in coordinates in which the problem is nearly round.
//!
//! The features are correlated, so that in plain coordinates the solver walks a long narrow valley: a hundred passes over the rows.
//! `H = π (1 - π) XᵀX + l2 I`, the Hessian at the base rate `π`, is about that valley's shape; in the coordinates `γ = Lᵀβ` with
//! `H = L Lᵀ` a tenth of the passes is enough. Each pass computes loss and gradient together.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use linfa_linalg::cholesky::Cholesky;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, ShapeBuilder, s};

use crate::LearnError;
use crate::probability::{logit, sigmoid};

/// The norm of the gradient, in the coordinates `γ`, at which the solver stops: about the distance to the minimum in units of
/// the coefficients' standard errors.
const TOLERANCE: f64 = 1e-4;

/// Steps whose curvature the solver remembers.
const MEMORY: usize = 10;

/// Rows from which the shape is estimated, evenly spread over all: it need not be exact.
const SHAPE_ROWS: usize = 4_096;

/// A fitted linear model of the log odds of the positive class: `intercept + Σ slope × value`.
pub(crate) struct Coefficients {
    pub(crate) intercept: f64,
    pub(crate) slopes: Vec<f64>,
}

impl Coefficients {
    /// Minimises the summed log loss plus `l2 / 2 · Σ slope²`; the intercept is not penalised.
    ///
    /// `columns` holds one value a label for each column, column after column. Both classes occur in `label`.
    ///
    /// # Errors
    /// If the solver fails or does not end at finite values.
    pub(crate) fn fit(
        columns: Vec<f64>,
        label: &[bool],
        l2: f64,
        max_iterations: u64,
    ) -> Result<Self, LearnError> {
        let positives = label.iter().filter(|&&positive| positive).count();
        let base_rate = positives as f64 / label.len() as f64;
        let width = columns.len() / label.len();
        if width == 0 {
            return Ok(Self {
                intercept: logit(base_rate),
                slopes: Vec::new(),
            });
        }
        let values = Array2::from_shape_vec((label.len(), width).f(), columns).map_err(refused)?;
        let objective = Objective::new(values, label, l2, base_rate)?;
        let start = objective.coordinates(logit(base_rate));
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(TOLERANCE)
            .map_err(refused)?;
        let solved = Executor::new(&objective, solver)
            .configure(|state| state.param(start).max_iters(max_iterations))
            .run()
            .map_err(refused)?;
        let best = solved
            .state
            .get_best_param()
            .ok_or_else(|| refused("the solver found no coefficients"))?;
        let coefficients = objective.coefficients(best).map_err(refused)?;
        Self {
            intercept: coefficients[width],
            slopes: coefficients.slice(s![..width]).to_vec(),
        }
        .finite()
    }

    fn finite(self) -> Result<Self, LearnError> {
        if self.intercept.is_finite() && self.slopes.iter().all(|slope| slope.is_finite()) {
            return Ok(self);
        }
        Err(refused("the coefficients are not finite"))
    }
}

fn refused(error: impl ToString) -> LearnError {
    LearnError::LogisticRegression(error.to_string())
}

/// The penalised log loss as a function of the coordinates `γ`; the intercept is the last coefficient.
struct Objective<'a> {
    /// Row by row, with a last column of ones.
    values: Array2<f64>,
    label: &'a [bool],
    l2: f64,
    /// `L`, lower triangular.
    factor: Array2<f64>,
    /// The last pass: the solver asks for loss and gradient one after the other at the same place.
    last: RefCell<Option<Pass>>,
}

#[derive(Clone)]
struct Pass {
    coordinates: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
}

impl<'a> Objective<'a> {
    fn new(
        columns: Array2<f64>,
        label: &'a [bool],
        l2: f64,
        base_rate: f64,
    ) -> Result<Self, LearnError> {
        let width = columns.ncols();
        let mut values = Array2::ones((label.len(), width + 1));
        values.slice_mut(s![.., ..width]).assign(&columns);
        let step = label.len().div_ceil(SHAPE_ROWS);
        let rows = values.slice(s![..;step, ..]);
        let weight = base_rate * (1.0 - base_rate) * label.len() as f64 / rows.nrows() as f64;
        let mut shape = rows.t().dot(&rows) * weight;
        shape
            .slice_mut(s![..width, ..width])
            .diag_mut()
            .mapv_inplace(|value| value + l2);
        Ok(Self {
            factor: shape.cholesky().map_err(refused)?,
            values,
            label,
            l2,
            last: RefCell::new(None),
        })
    }

    /// The coordinates at which only the intercept is not zero.
    fn coordinates(&self, intercept: f64) -> Vec<f64> {
        let last = self.factor.nrows() - 1;
        (self.factor.row(last).to_owned() * intercept).to_vec()
    }

    /// `β`, from `Lᵀβ = γ`.
    fn coefficients(&self, coordinates: &[f64]) -> Result<Array1<f64>, Error> {
        self.solved(self.factor.t().to_owned(), coordinates, UPLO::Upper)
    }

    fn solved(&self, factor: Array2<f64>, right: &[f64], side: UPLO) -> Result<Array1<f64>, Error> {
        let right = ArrayView1::from(right).insert_axis(Axis(1)).to_owned();
        Ok(factor
            .solve_triangular_into(right, side)?
            .remove_axis(Axis(1)))
    }

    fn pass(&self, coordinates: &[f64]) -> Result<Pass, Error> {
        if let Some(last) = &*self.last.borrow()
            && last.coordinates == coordinates
        {
            return Ok(last.clone());
        }
        let coefficients = self.coefficients(coordinates)?;
        let slopes = coefficients.len() - 1;
        let penalised = coefficients.slice(s![..slopes]);
        let mut loss = self.l2 / 2.0 * penalised.dot(&penalised);
        let mut gradient = coefficients.clone() * self.l2;
        gradient[slopes] = 0.0;
        for (row, &positive) in self.values.rows().into_iter().zip(self.label) {
            let log_odds = row.dot(&coefficients);
            loss += softplus(if positive { -log_odds } else { log_odds });
            gradient.scaled_add(sigmoid(log_odds) - f64::from(u8::from(positive)), &row);
        }
        let gradient = solved(self.factor.view(), &gradient.to_vec(), UPLO::Lower)?;
        let pass = Pass {
            coordinates: coordinates.to_vec(),
            loss,
            gradient: gradient.to_vec(),
        };
        *self.last.borrow_mut() = Some(pass.clone());
        Ok(pass)
    }
}

/// The solution of a triangular system.
fn solved(factor: ArrayView2<'_, f64>, right: &[f64], side: UPLO) -> Result<Array1<f64>, Error> {
    let right = ArrayView1::from(right).insert_axis(Axis(1)).to_owned();
    Ok(factor
        .solve_triangular_into(right, side)?
        .remove_axis(Axis(1)))
}

/// `ln(1 + e^x)`, without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl CostFunction for &Objective<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, coordinates: &Self::Param) -> Result<f64, Error> {
        Ok(self.pass(coordinates)?.loss)
    }
}

impl Gradient for &Objective<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, coordinates: &Self::Param) -> Result<Self::Gradient, Error> {
        Ok(self.pass(coordinates)?.gradient)
    }
}
