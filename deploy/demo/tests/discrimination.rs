//! How the detector does on the images of each hospital, run in this process.

use fedval_demo::SIDE;
use fedval_demo::hospital::{Hospital, Photometric, hospitals, images_of};
use fedval_demo::model::lesion_detector;
use tract_onnx::prelude::*;

struct Case {
    patient: u32,
    female: bool,
    vendor: &'static str,
    score: f64,
    positive: bool,
}

fn cases(hospital: &Hospital) -> Vec<Case> {
    let model = tract_onnx::onnx()
        .model_for_read(&mut lesion_detector().as_slice())
        .expect("the file is ONNX")
        .into_optimized()
        .expect("every operator is known")
        .into_runnable()
        .expect("the graph can run");
    let mut cases = Vec::new();
    for number in 0..hospital.population.patients {
        let (patient, scanner, images, _) = images_of(hospital, number);
        let largest = ((1_u32 << scanner.bits_stored) - 1) as f32;
        for image in images {
            let unit = |stored: u16| f32::from(stored) / largest;
            let pixels: Vec<f32> = image
                .pixels
                .iter()
                .map(|&stored| match scanner.photometric {
                    Photometric::LargeIsDark => 1.0 - unit(stored),
                    Photometric::LargeIsBright => unit(stored),
                })
                .collect();
            let side = SIDE as usize;
            let input = Tensor::from_shape(&[1, 1, side, side], &pixels).unwrap();
            let output = model.run(tvec!(input.into())).unwrap();
            let score = f64::from(output[0].to_plain_array_view::<f32>().unwrap()[[0, 0]]);
            let positive = patient.lesion_contrast.is_some();
            cases.push(Case { patient: number, female: patient.sex.as_str() == "F", vendor: scanner.manufacturer, score, positive });
        }
    }
    cases
}

fn auroc<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> f64 {
    let positives: Vec<f64> = cases.clone().filter(|c| c.positive).map(|c| c.score).collect();
    let negatives: Vec<f64> = cases.filter(|c| !c.positive).map(|c| c.score).collect();
    let mut wins = 0.0;
    for p in &positives {
        for n in &negatives {
            wins += if p > n { 1.0 } else if p < n { 0.0 } else { 0.5 };
        }
    }
    wins / (positives.len() as f64 * negatives.len() as f64)
}

fn logit(p: f64) -> f64 { let p = p.clamp(1e-12, 1.0-1e-12); (p / (1.0 - p)).ln() }

fn refit(cases: &[Case]) -> (f64, f64) {
    let (mut a, mut b) = (0.0, 1.0);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0,0.0,0.0,0.0,0.0);
        for c in cases {
            let x = logit(c.score);
            let p = 1.0/(1.0+(-(a+b*x)).exp());
            let e = f64::from(u8::from(c.positive)) - p;
            let w = p*(1.0-p);
            g0 += e; g1 += e*x; h00 += w; h01 += w*x; h11 += w*x*x;
        }
        let det = h00*h11-h01*h01;
        a += (h11*g0-h01*g1)/det;
        b += (-h01*g0+h00*g1)/det;
    }
    (a,b)
}

#[test]
fn print() {
    use fedval_demo::hospital::NORTHGATE;
    let development = Hospital { id: "dev", seed: 0xDE, scanners: &NORTHGATE.scanners[..1], population: fedval_demo::hospital::Population { patients: 600, ..NORTHGATE.population }, ..NORTHGATE };
    for hospital in std::iter::once(development).chain(hospitals()) {
        let cases = cases(&hospital);
        type Key = Box<dyn Fn(&fedval_demo::hospital::Patient, &str) -> String>;
        let dims: Vec<Key> = vec![Box::new(|p, _| p.sex.as_str().into()), Box::new(|p, _| if p.age_years < 50 {"<50"} else if p.age_years < 65 {"50-64"} else {"65+"}.into()), Box::new(|p, _| p.ethnic_group.into()), Box::new(|_, v| v.into())];
        for d in dims {
            let mut m = std::collections::BTreeMap::<String, [u32; 2]>::new();
            for n in 0..hospital.population.patients { let (p, s, _, _) = images_of(&hospital, n); m.entry(d(&p, s.manufacturer)).or_default()[usize::from(p.lesion_contrast.is_some())] += 1; }
            eprintln!("   {m:?}");
        }
        let pos = cases.iter().filter(|c| c.positive).count();
        let expected: f64 = cases.iter().map(|c| c.score).sum();
        let (a, b) = refit(&cases);
        eprintln!("{}: {} images, {} positive, AUROC {:.3}, O/E {:.2}, recal a={a:.3} b={b:.3}", hospital.id, cases.len(), pos, auroc(cases.iter()), pos as f64/expected);
        for v in ["Aurelis", "Borealis"] { eprintln!("   {v} {:.3} n={}", auroc(cases.iter().filter(|c| c.vendor==v)), cases.iter().filter(|c| c.vendor==v).count()); }
        for f in [true,false] { eprintln!("   F={f} {:.3}", auroc(cases.iter().filter(|c| c.female==f))); }
        for t in [0.2, 0.5] {
            let s = cases.iter().filter(|c| c.positive && c.score>=t).count() as f64/pos as f64;
            let sp = cases.iter().filter(|c| !c.positive && c.score<t).count() as f64/(cases.len()-pos) as f64;
            eprintln!("   t={t}: sens {s:.2} spec {sp:.2}");
        }
        let q = |pos: bool| { let mut v: Vec<f64> = cases.iter().filter(|c| c.positive==pos).map(|c| (logit(c.score)+9.8)/150.0).collect(); v.sort_by(f64::total_cmp); (v[v.len()/10], v[v.len()/2], v[v.len()*9/10]) };
        eprintln!("   resp neg {:?} pos {:?} last patient {}", q(false), q(true), cases.last().unwrap().patient);
    }
}
