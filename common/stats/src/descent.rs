//! The minimum of a smooth function of a few variables: BFGS with a backtracking line search.
//!
//! # References
//!
//! - J. Nocedal, S. J. Wright (2006). Numerical Optimization, 2nd ed., chapter 6.

/// More iterations than any likelihood of this crate needs.
const MAX_STEPS: usize = 500;

/// Halvings of a step before it is given up.
const MAX_HALVINGS: u32 = 60;

/// The share of the descent that the slope promises with which a step is content (Armijo).
const SUFFICIENT: f64 = 1e-4;

/// A gradient below this, relative to the value, is flat.
const FLAT: f64 = 1e-10;

/// A descent of less than this, relative to the value, is lost in the rounding of a sum of many terms.
const ROUNDING: f64 = 1e-12;

/// Where a function is lowest.
#[derive(Debug, Clone)]
pub(crate) struct Minimum<const N: usize> {
    pub(crate) at: [f64; N],
    pub(crate) value: f64,
}

/// Descends from `start`; `None` where the function is not finite there.
pub(crate) fn descend<const N: usize>(
    function: impl Fn(&[f64; N]) -> f64,
    gradient: impl Fn(&[f64; N]) -> [f64; N],
    start: [f64; N],
) -> Option<Minimum<N>> {
    let mut here = Minimum { at: start, value: function(&start) };
    if !here.value.is_finite() {
        return None;
    }
    let mut slope = gradient(&here.at);
    let mut inverse = identity();
    for _ in 0..MAX_STEPS {
        let steepness = steepest(&slope);
        if !steepness.is_finite() || steepness <= FLAT * (1.0 + here.value.abs()) {
            break;
        }
        let mut direction = minus(&times(&inverse, &slope));
        if inner(&direction, &slope) >= 0.0 {
            (inverse, direction) = (identity(), minus(&slope));
        }
        let promised = inner(&direction, &slope);
        let is_told = -promised > ROUNDING * (1.0 + here.value.abs());
        let next = if is_told {
            line_search(&function, &here, &direction, promised)
        } else {
            along(&function, &here, &direction, 1.0)
        };
        let Some(next) = next else { break };
        let next_slope = gradient(&next.at);
        // Where values say nothing any more, slopes do.
        let is_flatter = steepest(&next_slope) < steepness;
        if !is_told && !is_flatter {
            break;
        }
        let step = std::array::from_fn(|i| next.at[i] - here.at[i]);
        let change = std::array::from_fn(|i| next_slope[i] - slope[i]);
        update(&mut inverse, &step, &change);
        (here, slope) = (next, next_slope);
    }
    Some(here)
}

/// The lowest of what was found from several starts; the first of equal ones.
pub(crate) fn lowest<const N: usize>(
    found: impl IntoIterator<Item = Minimum<N>>,
) -> Option<Minimum<N>> {
    found.into_iter().reduce(|best, other| if other.value < best.value { other } else { best })
}

/// The gradient by central differences.
pub(crate) fn central_gradient<const N: usize>(
    function: impl Fn(&[f64; N]) -> f64,
    at: &[f64; N],
) -> [f64; N] {
    // The cube root of the precision balances both errors.
    const WIDTH: f64 = 6e-6;
    std::array::from_fn(|i| {
        let width = WIDTH * (1.0 + at[i].abs());
        let beside = |offset: f64| {
            let mut point = *at;
            point[i] += offset;
            function(&point)
        };
        (beside(width) - beside(-width)) / (2.0 * width)
    })
}

fn line_search<const N: usize>(
    function: impl Fn(&[f64; N]) -> f64,
    here: &Minimum<N>,
    direction: &[f64; N],
    slope: f64,
) -> Option<Minimum<N>> {
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        let next = along(&function, here, direction, length)?;
        if next.value.is_finite() && next.value <= here.value + SUFFICIENT * length * slope {
            return Some(next);
        }
        length /= 2.0;
    }
    None
}

/// The place so far along a direction; `None` where that is no other place.
fn along<const N: usize>(
    function: impl Fn(&[f64; N]) -> f64,
    here: &Minimum<N>,
    direction: &[f64; N],
    length: f64,
) -> Option<Minimum<N>> {
    let at: [f64; N] = std::array::from_fn(|i| here.at[i] + length * direction[i]);
    let has_moved = at.iter().zip(here.at).any(|(a, b)| a.to_bits() != b.to_bits());
    has_moved.then(|| Minimum { value: function(&at), at })
}

fn steepest<const N: usize>(slope: &[f64; N]) -> f64 {
    slope.iter().fold(0.0, |largest: f64, g| if g.is_nan() { *g } else { largest.max(g.abs()) })
}

/// The BFGS update of the inverse Hessian; left out where the step shows no curvature.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], step: &[f64; N], change: &[f64; N]) {
    let curvature = inner(step, change);
    if curvature <= 1e-14 * libm::sqrt(inner(step, step) * inner(change, change)) {
        return;
    }
    let moved = times(inverse, change);
    let scale = (1.0 + inner(change, &moved) / curvature) / curvature;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] +=
                scale * step[i] * step[j] - (moved[i] * step[j] + step[i] * moved[j]) / curvature;
        }
    }
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))))
}

fn times<const N: usize>(matrix: &[[f64; N]; N], x: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| inner(&matrix[i], x))
}

fn minus<const N: usize>(x: &[f64; N]) -> [f64; N] {
    x.map(|x| -x)
}

fn inner<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley, whose lowest point is (1, 1).
    fn valley([x, y]: &[f64; 2]) -> f64 {
        100.0 * (y - x * x) * (y - x * x) + (1.0 - x) * (1.0 - x)
    }

    #[test]
    fn the_end_of_a_valley_is_found() {
        let minimum = descend(valley, |at| central_gradient(valley, at), [-1.2, 1.0]).unwrap();
        assert!((minimum.at[0] - 1.0).abs() < 1e-6 && (minimum.at[1] - 1.0).abs() < 1e-6);
        assert!(minimum.value < 1e-12);
    }

    #[test]
    fn nothing_is_found_from_nowhere() {
        assert!(descend(|_: &[f64; 1]| f64::NAN, |_| [0.0], [0.0]).is_none());
    }
}
