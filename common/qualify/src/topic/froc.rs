//! Lesions by place: the FROC curve.

use fedval_stats::detection::{
    CPM_RATES, Candidate, DetectionCounts, Froc, Lesion, ScanFindings, match_scan,
};
use serde_json::{Map, Value, json};

use crate::input::{Input, Malformed};
use crate::output::cell;

const THRESHOLDS: [f64; 5] = [0.9, 0.7, 0.5, 0.3, 0.1];

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let scans: Vec<ScanFindings> =
        input.at("scans")?.list()?.iter().map(scan).collect::<Result<_, _>>()?;
    let froc = Froc::of(&scans);
    let mut sensitivities = Map::new();
    for rate in CPM_RATES {
        let sensitivity = froc.as_ref().map_err(|e| *e).and_then(|froc| froc.sensitivity_at(rate));
        sensitivities.insert(rate.to_string(), cell(sensitivity));
    }
    let counts = DetectionCounts::of(&scans, &THRESHOLDS);
    let sum = |part: fn(&ScanFindings) -> u64| scans.iter().map(part).sum::<u64>();
    let points: Vec<Value> = counts
        .at
        .iter()
        .map(|(threshold, tp, fp)| json!({"threshold": threshold, "tp": tp, "fp": fp}))
        .collect();
    Ok(json!({
        "n_scans": counts.scans,
        "n_lesions": counts.lesions,
        "hit": sum(|scan| scan.hits.len() as u64),
        "missed": sum(|scan| scan.missed),
        "false_positives": sum(|scan| scan.false_positives.len() as u64),
        "ignored_on_excluded": sum(|scan| scan.ignored),
        "duplicates_ignored": sum(|scan| scan.duplicates),
        "sens_at_fp": sensitivities,
        "cpm": cell(froc.map(|froc| froc.cpm())),
        "operating_points": points,
    }))
}

fn scan(scan: &Input<'_>) -> Result<ScanFindings, Malformed> {
    let lesions = scan.at("lesions")?.list()?;
    let lesions: Vec<Lesion> = lesions.iter().map(lesion).collect::<Result<_, _>>()?;
    let candidates = scan.at("candidates")?.list()?;
    let candidate = |candidate: &Input<'_>| {
        Ok(Candidate { place: place(candidate)?, probability: candidate.at("p")?.number()? })
    };
    let candidates: Vec<Candidate> = candidates.iter().map(candidate).collect::<Result<_, _>>()?;
    scan.accept(match_scan(&lesions, &candidates))
}

fn lesion(lesion: &Input<'_>) -> Result<Lesion, Malformed> {
    Ok(Lesion {
        centre: place(lesion)?,
        diameter_mm: lesion.at("diameter_mm")?.number()?,
        excluded: lesion.find("excluded").map_or(Ok(false), |excluded| excluded.flag())?,
    })
}

fn place(of: &Input<'_>) -> Result<[f64; 3], Malformed> {
    let place = of.at("xyz")?;
    place.accept(place.numbers()?.try_into())
}
