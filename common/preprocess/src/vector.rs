//! Arithmetic of places and directions in space, wherever slices and voxels are told by them.

/// Three parts, one along each of the patient's directions.
pub type Vector = [f64; 3];

/// The sum of the products of their parts.
#[must_use]
pub fn dot(one: Vector, other: Vector) -> f64 {
    one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
}

/// How long it is.
#[must_use]
pub fn length(vector: Vector) -> f64 {
    dot(vector, vector).sqrt()
}

/// The way from the other to the one.
#[must_use]
pub fn minus(one: Vector, other: Vector) -> Vector {
    [0, 1, 2].map(|part| one[part] - other[part])
}

/// The same direction, so many times as long.
#[must_use]
pub fn scaled(vector: Vector, by: f64) -> Vector {
    vector.map(|part| part * by)
}

/// What stands upright on both.
#[must_use]
pub fn cross(one: Vector, other: Vector) -> Vector {
    [(1, 2), (2, 0), (0, 1)].map(|(i, j)| one[i] * other[j] - one[j] * other[i])
}
