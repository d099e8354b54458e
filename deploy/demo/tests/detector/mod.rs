//! The demo's model, run in this process on the images as a hospital keeps them.

use fedval_demo::SIDE;
use fedval_demo::hospital::{CaseImage, Hospital, Photometric, Scanner, Sex, images_of};
use fedval_demo::model::lesion_detector;
use tract_onnx::prelude::*;

/// One scored image.
pub(crate) struct Scored {
    pub(crate) manufacturer: &'static str,
    pub(crate) female: bool,
    pub(crate) positive: bool,
    /// Log odds that the model gives.
    pub(crate) logit: f64,
}

/// Every image of a hospital with its score.
pub(crate) fn scored_images(hospital: &Hospital) -> Vec<Scored> {
    let model = tract_onnx::onnx()
        .model_for_read(&mut lesion_detector().as_slice())
        .and_then(InferenceModelExt::into_optimized)
        .and_then(IntoRunnable::into_runnable)
        .expect("the engine runs every operator of the model");
    let mut scored = Vec::new();
    for number in 0..hospital.population.patients {
        let (patient, scanner, images, _) = images_of(hospital, number);
        for image in &images {
            let output = model.run(tvec!(tensor(&scanner, image).into())).expect("one inference");
            let output = output[0].to_plain_array_view::<f32>().expect("32-bit floats");
            assert_eq!(output.shape(), [1, 1]);
            let probability = f64::from(output[[0, 0]]).clamp(1e-6, 1.0 - 1e-6);
            scored.push(Scored {
                manufacturer: scanner.manufacturer,
                female: patient.sex == Sex::Female,
                positive: patient.lesion_contrast.is_some(),
                logit: (probability / (1.0 - probability)).ln(),
            });
        }
    }
    scored
}

/// What the study's input section says: stored values over the largest one, white is high.
fn tensor(scanner: &Scanner, image: &CaseImage) -> Tensor {
    let largest = f32::from(u16::MAX >> (16 - scanner.bits_stored));
    let values: Vec<f32> = image
        .pixels
        .iter()
        .map(|&stored| match scanner.photometric {
            Photometric::LargeIsDark => 1.0 - f32::from(stored) / largest,
            Photometric::LargeIsBright => f32::from(stored) / largest,
        })
        .collect();
    let side = SIDE as usize;
    Tensor::from_shape(&[1, 1, side, side], &values).expect("the image is a square of this side")
}

/// Share of pairs, one positive and one negative, that the score orders rightly.
pub(crate) fn auroc<'a>(scored: impl Iterator<Item = &'a Scored>) -> f64 {
    let (positive, negative): (Vec<_>, Vec<_>) = scored.partition(|image| image.positive);
    let won: f64 = positive
        .iter()
        .flat_map(|p| negative.iter().map(|n| p.logit.total_cmp(&n.logit)))
        .map(|order| 0.5 + 0.5 * f64::from(order as i8))
        .sum();
    won / f64::from(u32::try_from(positive.len() * negative.len()).expect("a few thousand pairs"))
}

/// Intercept and slope of the logistic regression of label on log odds.
pub(crate) fn recalibration(scored: &[Scored]) -> (f64, f64) {
    let (mut intercept, mut slope) = (0.0, 1.0);
    for _ in 0..20 {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for image in scored {
            let expected = 1.0 / (1.0 + (-(intercept + slope * image.logit)).exp());
            let residual = f64::from(u8::from(image.positive)) - expected;
            let weight = expected * (1.0 - expected);
            gradient[0] += residual;
            gradient[1] += residual * image.logit;
            hessian[0] += weight;
            hessian[1] += weight * image.logit;
            hessian[2] += weight * image.logit * image.logit;
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        intercept += (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant;
        slope += (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant;
    }
    (intercept, slope)
}
