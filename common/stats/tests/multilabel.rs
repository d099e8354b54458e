//! The error of the mean of several areas, against computations that share nothing with it: leaving patients out, drawing
//! them again, drawing whole cohorts, and what pROC and scikit-learn print for the cases that are special ones of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use fedval_stats::multilabel::{ConditionScores, macro_area};
use serde_json::Value;

const CONDITIONS: usize = 3;

/// A patient: of each condition the score, and whether it is there; `None` of one who was not assessed for it.
type Patient = [(i64, Option<bool>); CONDITIONS];

/// Uniform numbers of a linear congruential generator (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap()
    }

    fn roll(&mut self) -> f64 {
        f64::from(self.next()) / 4_294_967_296.0
    }

    /// One of so many thousandths.
    fn below(&mut self, most: u32) -> i64 {
        i64::from(self.next() % most)
    }
}

/// Patients whose conditions come together, whose scores go up and down together, and of whom every seventh to ninth was not
/// assessed for one.
fn cohort(dice: &mut Dice, patients: u32) -> Vec<Patient> {
    (0..patients)
        .map(|place| {
            let frail = if dice.roll() < 0.4 { 2.2 } else { 0.3 };
            let common = dice.below(80);
            let mut of = |condition: u32, share: f64| {
                let is_there = dice.roll() < share * frail;
                let score = common + dice.below(20) + if is_there { 25 } else { 0 };
                let is_assessed = !(place + condition).is_multiple_of(7 + condition);
                (score, is_assessed.then_some(is_there))
            };
            [of(0, 0.35), of(1, 0.30), of(2, 0.40)]
        })
        .collect()
}

fn conditions(patients: &[Patient]) -> Vec<ConditionScores> {
    let of = |condition: usize| ConditionScores {
        rank_keys: patients.iter().map(|patient| patient[condition].0).collect(),
        reference: patients.iter().map(|patient| patient[condition].1).collect(),
    };
    (0..CONDITIONS).map(of).collect()
}

/// Scores of those with the condition, and of those without.
fn sides(patients: &[Patient], condition: usize) -> [Vec<i64>; 2] {
    [true, false].map(|side| {
        let is_it = |patient: &&Patient| patient[condition].1 == Some(side);
        patients.iter().filter(is_it).map(|patient| patient[condition].0).collect()
    })
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap())
}

/// The area by its definition: every patient with the condition beside every one without.
fn area(patients: &[Patient], condition: usize) -> f64 {
    let [with, without] = sides(patients, condition);
    let wins: usize = with
        .iter()
        .map(|own| {
            let beaten = without.iter().filter(|other| *other < own).count();
            2 * beaten + without.iter().filter(|other| *other == own).count()
        })
        .sum();
    count(wins) / (2.0 * count(with.len()) * count(without.len()))
}

fn mean_area(patients: &[Patient]) -> f64 {
    (0..CONDITIONS).map(|condition| area(patients, condition)).sum::<f64>() / count(CONDITIONS)
}

fn standard_error(patients: &[Patient]) -> f64 {
    macro_area(&conditions(patients)).unwrap().se
}

fn without(patients: &[Patient], place: usize) -> Vec<Patient> {
    let others = patients.iter().enumerate().filter(|(other, _)| *other != place);
    others.map(|(_, patient)| *patient).collect()
}

fn spread(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / count(values.len());
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count(values.len()) - 1.0)).sqrt()
}

fn near(what: &str, found: f64, expected: f64, share: f64) {
    let off = (found / expected - 1.0).abs();
    assert!(off <= share, "{what}: {found} is {off:.4} off {expected}");
}

/// Leaving out one of the m patients on a side moves an area by (x − A) / (m − 1). So what leaving a patient out does to each
/// area, times √((m − 1) / m), adds up to just what the estimator says this patient does: to rounding.
#[test]
fn the_error_is_that_of_leaving_each_patient_out_of_every_area() {
    let patients = cohort(&mut Dice(11), 160);
    let areas = [0, 1, 2].map(|condition| area(&patients, condition));
    let part = |place: usize| -> f64 {
        let rest = without(&patients, place);
        let of = |condition: usize| {
            let Some(side) = patients[place][condition].1 else { return 0.0 };
            let m = count(sides(&patients, condition)[usize::from(!side)].len());
            (areas[condition] - area(&rest, condition)) * ((m - 1.0) / m).sqrt()
        };
        (0..CONDITIONS).map(of).sum()
    };
    let squares: f64 = (0..patients.len()).map(|place| part(place).powi(2)).sum();
    let found = macro_area(&conditions(&patients)).unwrap();
    near("mean", found.mean, mean_area(&patients), 1e-12);
    near("error", found.se, squares.sqrt() / count(CONDITIONS), 1e-10);
}

/// The jackknife of the mean as a whole knows nothing of sides and conditions. It differs by the √(m / (m − 1)) of each
/// side: with m ≥ 40 on every one of them by no more than 1.3 in 100, and what of that is against the other's sign.
#[test]
fn the_error_is_that_of_a_jackknife_over_patients() {
    for seed in [12, 13, 14] {
        let patients = cohort(&mut Dice(seed), 200);
        for condition in 0..CONDITIONS {
            assert!(sides(&patients, condition).iter().all(|side| side.len() >= 40));
        }
        let left: Vec<f64> =
            (0..patients.len()).map(|place| mean_area(&without(&patients, place))).collect();
        let n = count(patients.len());
        // √((n − 1) / n · Σ (θ₋ᵢ − θ̄)²)
        let jackknife = spread(&left) * (n - 1.0) / n.sqrt();
        near("jackknife", standard_error(&patients), jackknife, 0.02);
    }
}

/// A thousand cohorts drawn from the patients with replacement: a spread over so many is off by 1 / √2000 = 2.2 in 100 by
/// chance, and 10 is beyond four times that.
#[test]
fn the_error_is_that_of_a_bootstrap_over_patients() {
    let patients = cohort(&mut Dice(15), 200);
    let mut dice = Dice(16);
    let means: Vec<f64> = (0..1_000)
        .map(|_| {
            let drawn = (0..patients.len()).map(|_| {
                let place = usize::try_from(dice.below(200)).unwrap();
                patients[place]
            });
            mean_area(&drawn.collect::<Vec<_>>())
        })
        .collect();
    near("bootstrap", standard_error(&patients), spread(&means), 0.10);
}

/// How the mean varies from one cohort to the next, against the mean of the errors that each of them states: both by chance
/// within some 2.5 in 100. Were each condition's patients others, the error would be a fifth smaller: that fails.
#[test]
fn the_error_is_how_the_mean_varies_over_cohorts() {
    let mut dice = Dice(17);
    let mut means = Vec::new();
    let (mut stated, mut apart) = (0.0, 0.0);
    for _ in 0..1_000 {
        let patients = cohort(&mut dice, 200);
        means.push(mean_area(&patients));
        let own = conditions(&patients);
        stated += macro_area(&own).unwrap().se.powi(2) / 1_000.0;
        let alone = own.iter().map(|of| macro_area(std::slice::from_ref(of)).unwrap().se.powi(2));
        apart += alone.sum::<f64>() / count(CONDITIONS).powi(2) / 1_000.0;
    }
    near("cohorts", stated.sqrt(), spread(&means), 0.08);
    assert!(apart.sqrt() < 0.9 * spread(&means), "{} {}", apart.sqrt(), spread(&means));
}

/// A case of the qualification, whose numbers pROC or scikit-learn printed.
fn case(text: &str) -> (Value, Value) {
    let case: Value = serde_json::from_str(text).unwrap();
    (case["input"].clone(), case["expected"].clone())
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Integer keys in the order of the scores.
fn keys(scores: &[f64]) -> Vec<i64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = |score: &f64| sorted.partition_point(|other| other < score);
    scores.iter().map(|score| i64::try_from(place(score)).unwrap()).collect()
}

fn labels(of: &Value) -> Vec<Option<bool>> {
    numbers(of).iter().map(|label| Some(*label > 0.5)).collect()
}

/// Classes are conditions of which a patient has just one: scikit-learn's areas, with the joint DeLong covariance.
#[test]
fn of_classes_it_is_the_error_over_one_against_the_rest() {
    let (input, expected) = case(include_str!("../../qualify/cases/multiclass_3.json"));
    let class = numbers(&input["y"]);
    let scores: Vec<Vec<f64>> = input["prob"].as_array().unwrap().iter().map(numbers).collect();
    let of = |(place, number): (usize, f64)| ConditionScores {
        rank_keys: keys(&scores.iter().map(|row| row[place]).collect::<Vec<_>>()),
        reference: class.iter().map(|own| Some((own - number).abs() < 0.5)).collect(),
    };
    let found = macro_area(&[(0, 0.0), (1, 1.0), (2, 2.0)].map(of)).unwrap();
    near("mean", found.mean, expected["macro_auc"].as_f64().unwrap(), 1e-8);
    near("error", found.se, expected["macro_se"].as_f64().unwrap(), 1e-8);
}

/// Two scores of the same patients about the same condition: pROC's variances and their covariance.
#[test]
fn of_paired_scores_it_is_the_error_of_their_mean_area() {
    let (input, expected) = case(include_str!("../../qualify/cases/delong_paired_noninf.json"));
    let reference = labels(&input["label"]);
    let of = |key: &str| ConditionScores {
        rank_keys: keys(&numbers(&input[key])),
        reference: reference.clone(),
    };
    let found = macro_area(&["score1", "score2"].map(of)).unwrap();
    let number = |key: &str| expected[key].as_f64().unwrap();
    near("mean", found.mean, f64::midpoint(number("auc1"), number("auc2")), 1e-8);
    let variance = number("var1") + number("var2") + 2.0 * number("cov12");
    near("error", found.se, variance.sqrt() / 2.0, 1e-8);
}

/// Two areas of other patients: pROC's variances, and no covariance.
#[test]
fn of_other_patients_it_is_the_error_of_independent_areas() {
    let (input, expected) = case(include_str!("../../qualify/cases/delong_unpaired_sites.json"));
    let [first, second] = ["score1", "score2"].map(|key| keys(&numbers(&input[key])));
    let [one, other] = ["label", "label2"].map(|key| labels(&input[key]));
    let nobody = |keys: &[i64]| vec![None; keys.len()];
    let rank_keys = [first.clone(), second.clone()].concat();
    let of =
        |reference: Vec<Option<bool>>| ConditionScores { rank_keys: rank_keys.clone(), reference };
    let conditions = [of([one, nobody(&second)].concat()), of([nobody(&first), other].concat())];
    let found = macro_area(&conditions).unwrap();
    let number = |key: &str| expected[key].as_f64().unwrap();
    near("mean", found.mean, f64::midpoint(number("auc1"), number("auc2")), 1e-8);
    near("error", found.se, (number("var1") + number("var2")).sqrt() / 2.0, 1e-8);
}
