//! Stored tensors: inside the file, and no larger than what the file holds.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use crate::exchange::Refusal;

/// Checks one stored tensor.
pub(super) fn check(tensor: &TensorProto) -> Result<(), Refusal> {
    let is_external = tensor.data_location == Some(DataLocation::External as i32);
    if is_external || !tensor.external_data.is_empty() {
        return Err(Refusal::ExternalData);
    }
    if tensor.segment.is_some() {
        return Err(Refusal::NotOnnx);
    }
    let data_type = DataType::try_from(tensor.data_type).map_err(|_| Refusal::NotOnnx)?;
    let (element_bytes, stored) = elements(tensor, data_type)?;
    let declared = declared(&tensor.dims)?;
    let held = if tensor.raw_data.is_empty() {
        stored as u64
    } else if tensor.raw_data.len().is_multiple_of(element_bytes) {
        (tensor.raw_data.len() / element_bytes) as u64
    } else {
        return Err(Refusal::NotOnnx);
    };
    match declared {
        declared if declared > held => Err(Refusal::TooLarge),
        declared if declared < held => Err(Refusal::NotOnnx),
        _ => Ok(()),
    }
}

/// Product of the dimensions.
fn declared(dims: &[i64]) -> Result<u64, Refusal> {
    dims.iter().try_fold(1_u64, |product, dim| {
        let dim = u64::try_from(*dim).map_err(|_| Refusal::NotOnnx)?;
        product.checked_mul(dim).ok_or(Refusal::TooLarge)
    })
}

/// Bytes of an element in the raw form, and the number of elements in the typed one.
fn elements(tensor: &TensorProto, data_type: DataType) -> Result<(usize, usize), Refusal> {
    Ok(match data_type {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Uint64 => (8, tensor.uint64_data.len()),
        DataType::Uint32 => (4, tensor.uint64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => (2, tensor.int32_data.len()),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (1, tensor.int32_data.len()),
        // Strings, complex numbers and formats below a byte have no place in these graphs.
        _ => return Err(Refusal::Operator),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(dims: &[i64], raw_bytes: usize) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            raw_data: vec![0; raw_bytes],
            ..TensorProto::default()
        }
    }

    #[test]
    fn a_tensor_must_hold_what_it_declares() {
        assert_eq!(check(&floats(&[2, 2], 16)), Ok(()));
        assert_eq!(check(&floats(&[], 4)), Ok(()));
        assert_eq!(check(&floats(&[0, 5], 0)), Ok(()));
        assert_eq!(check(&floats(&[25_000_000_000], 16)), Err(Refusal::TooLarge));
        assert_eq!(check(&floats(&[i64::MAX, 4], 16)), Err(Refusal::TooLarge));
        assert_eq!(check(&floats(&[-1], 4)), Err(Refusal::NotOnnx));
        assert_eq!(check(&floats(&[1], 16)), Err(Refusal::NotOnnx));
        assert_eq!(check(&floats(&[1], 5)), Err(Refusal::NotOnnx));
    }

    #[test]
    fn strings_and_data_elsewhere_are_refused() {
        let strings = TensorProto { data_type: DataType::String as i32, ..floats(&[1], 0) };
        assert_eq!(check(&strings), Err(Refusal::Operator));
        let elsewhere =
            TensorProto { data_location: Some(DataLocation::External as i32), ..floats(&[1], 4) };
        assert_eq!(check(&elsewhere), Err(Refusal::ExternalData));
    }
}
