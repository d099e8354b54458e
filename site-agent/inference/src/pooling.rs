//! Pooling of two by two pixels, bit for bit as the engine does it and several times faster.
//!
//! Most image networks halve their planes this way, some of them first of all. The engine walks
//! such a pool pixel by pixel; here a row of windows is one loop over two rows that the compiler
//! turns into vector instructions.

use tract_onnx::tract_core::internal::{
    Datum as _, DatumExt as _, EvalContext, EvalOp, IntoTValue as _, Op, StaticName, TValue, TVec,
    Tensor, TractErrorContext as _, TractResult, TypedFact, TypedModel, TypedModelPatch, TypedNode,
    TypedOp, args_1, as_op, bail, op_as_typed_op, op_out_of_plan, tvec,
};
use tract_onnx::tract_core::ops::cnn::{OptMaxPool, OptSumPool, PoolSpec};

/// Pixels along a window's side, and from one window to the next.
const SIDE: usize = 2;

/// Puts a [`Halving`] in the place of every pool of the optimised `graph` that is one.
pub(crate) fn speed_up(graph: &mut TypedModel) -> TractResult<()> {
    for place in 0..graph.nodes().len() {
        let node = &graph.nodes()[place];
        if let Some(halving) = halving(graph, node)? {
            TypedModelPatch::replace_single_op(graph, node, &node.inputs, halving)?.apply(graph)?;
        }
    }
    Ok(())
}

fn halving(graph: &TypedModel, node: &TypedNode) -> TractResult<Option<Halving>> {
    let (rule, pool) = if let Some(pool) = node.op_as::<OptMaxPool>() {
        (pool.with_index_outputs.is_none().then_some(Rule::Maximum), &pool.pool_spec)
    } else if let Some(pool) = node.op_as::<OptSumPool>() {
        (pool.normalize.then_some(Rule::Mean), &pool.pool_spec)
    } else {
        return Ok(None);
    };
    let [input] = graph.node_input_facts(node.id)?[..] else { return Ok(None) };
    let shape = input.shape.as_concrete().filter(|_| input.datum_type == f32::datum_type());
    Ok(rule.zip(shape).filter(|(_, shape)| is_halving(pool, shape)).map(|(rule, _)| Halving(rule)))
}

/// Whether every window has four pixels, next to each other, that no other window has.
fn is_halving(pool: &PoolSpec, shape: &[usize]) -> bool {
    let [.., height, width] = *shape else { return false };
    let pads = pool.computed_padding(&[height, width]);
    !pool.data_format.c_is_last()
        && pool.kernel_shape[..] == [SIDE; 2]
        && pool.strides()[..] == [SIDE; 2]
        && pool.dilations()[..] == [1; 2]
        && height >= SIDE
        && width >= SIDE
        && pads.iter().all(|pad| pad.pad_before == 0 && pad.pad_after == 0)
}

/// What becomes of the four pixels of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Maximum,
    Mean,
}

/// Pools windows of two by two; a last odd row or column is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Halving(Rule);

impl Halving {
    fn shape(input: &[usize]) -> TVec<usize> {
        let sides = input.len().saturating_sub(2);
        input.iter().enumerate().map(|(axis, n)| if axis < sides { *n } else { n / SIDE }).collect()
    }
}

impl Op for Halving {
    fn name(&self) -> StaticName {
        "Halving".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Halving {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let [.., height, width] = *input.shape() else { bail!("no plane to halve") };
        let mut output = Tensor::zero::<f32>(&Self::shape(input.shape()))?;
        let (pixels, mut pooled) = (input.try_as_plain_ram()?, output.try_as_plain_ram_mut()?);
        let planes = pixels.as_slice::<f32>()?.chunks_exact(height * width);
        let area = (height / SIDE) * (width / SIDE);
        for (plane, half) in planes.zip(pooled.as_slice_mut::<f32>()?.chunks_exact_mut(area)) {
            match self.0 {
                // The engine's order of operations: the last bits depend on it.
                Rule::Maximum => each_window(plane, width, half, |[a, b, c, d]| {
                    f32::MIN.max(a).max(b).max(c).max(d)
                }),
                Rule::Mean => {
                    each_window(plane, width, half, |[a, b, c, d]| (a + b + c + d) * 0.25);
                }
            }
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Halving {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = inputs[0].shape.as_concrete().context("the shape is known")?;
        Ok(tvec!(f32::fact(Self::shape(shape))))
    }

    as_op!();
}

fn each_window(plane: &[f32], width: usize, half: &mut [f32], pooled: impl Fn([f32; 4]) -> f32) {
    let rows = plane.chunks_exact(SIDE * width).zip(half.chunks_exact_mut(width / SIDE));
    for (rows, half) in rows {
        let (upper, lower) = rows.split_at(width);
        let windows = upper.chunks_exact(SIDE).zip(lower.chunks_exact(SIDE));
        for (value, (upper, lower)) in half.iter_mut().zip(windows) {
            *value = pooled([upper[0], upper[1], lower[0], lower[1]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::tract_core::internal::{IntoRunnable as _, SpecialOps as _};
    use tract_onnx::tract_core::ops::cnn::{MaxPool, PaddingSpec, SumPool};
    use tract_onnx::tract_core::ops::nn::DataFormat;

    use super::*;

    fn spec(kernel: [usize; 2], padding: PaddingSpec) -> PoolSpec {
        let strides = Some(tvec!(2, 2));
        PoolSpec::new(DataFormat::NCHW, kernel.as_slice().into(), padding, None, strides, 3, 3)
    }

    /// The optimised graph of one pool over three planes of 7 × 10 pixels.
    fn pool(op: impl Into<Box<dyn TypedOp>>) -> TypedModel {
        let mut graph = TypedModel::default();
        let image = graph.add_source("image", f32::fact([1, 3, 7, 10])).unwrap();
        let pooled = graph.wire_node("pool", op, &[image]).unwrap();
        graph.select_output_outlets(&pooled).unwrap();
        graph.into_optimized().unwrap()
    }

    /// Values without a pattern, with zeros of both signs among them.
    fn pixels() -> Tensor {
        let value = |index: i32| match index % 7 {
            0 => 0.0,
            1 => -0.0,
            _ => f32::from(i16::try_from(index * 7919 % 2003 - 1001).unwrap()) / 97.0,
        };
        Tensor::from_shape(&[1, 3, 7, 10], &(0..210).map(value).collect::<Vec<_>>()).unwrap()
    }

    fn bits(graph: TypedModel) -> Vec<u32> {
        let output = graph.into_runnable().unwrap().run(tvec!(pixels().into())).unwrap();
        let values = output[0].try_as_plain_ram().unwrap();
        values.as_slice::<f32>().unwrap().iter().map(|value| value.to_bits()).collect()
    }

    fn is_replaced(graph: &TypedModel) -> bool {
        graph.nodes().iter().any(TypedNode::op_is::<Halving>)
    }

    #[test]
    fn halving_gives_the_engines_values_to_the_last_bit() {
        let valid = || spec([2, 2], PaddingSpec::Valid);
        for graph in [
            pool(MaxPool::new(valid(), None)),
            pool(SumPool::new(valid(), false, true)),
            pool(SumPool::new(valid(), true, true)),
        ] {
            let mut fast = graph.clone();
            speed_up(&mut fast).unwrap();
            assert!(is_replaced(&fast) && !is_replaced(&graph));
            assert_eq!(bits(fast), bits(graph));
        }
    }

    #[test]
    fn other_pools_stay_the_engines() {
        let padded = PaddingSpec::Explicit(tvec!(1, 0), tvec!(0, 0));
        for mut graph in [
            pool(MaxPool::new(spec([3, 3], PaddingSpec::Valid), None)),
            pool(MaxPool::new(spec([2, 2], padded), None)),
            pool(SumPool::new(spec([2, 2], PaddingSpec::SameUpper), true, true)),
            pool(SumPool::new(spec([2, 2], PaddingSpec::Valid), true, false)),
        ] {
            speed_up(&mut graph).unwrap();
            assert!(!is_replaced(&graph));
        }
    }
}
