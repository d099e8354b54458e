//! Marks that several figures share.

use super::axis::Axis;
use super::picture::Drawing;

/// A confidence interval, with arrowheads where it leaves the axis.
pub(super) fn interval(drawing: &mut Drawing, axis: &Axis, [lower, upper]: [f64; 2], y: f64) {
    drawing.line("whisker", [axis.at(lower), y], [axis.at(upper), y]);
    arrows(drawing, "arrow", axis, [lower, upper], y);
}

/// Arrowheads at the ends of the axis beyond which an interval goes on.
pub(super) fn arrows(
    drawing: &mut Drawing,
    class: &str,
    axis: &Axis,
    [lower, upper]: [f64; 2],
    y: f64,
) {
    let [left, right] = axis.ends();
    if !axis.holds(lower) {
        drawing.path(class, &[[left - 3.0, y], [left + 5.0, y - 4.5], [left + 5.0, y + 4.5]], true);
    }
    if !axis.holds(upper) {
        drawing.path(
            class,
            &[[right + 3.0, y], [right - 5.0, y - 4.5], [right - 5.0, y + 4.5]],
            true,
        );
    }
}
