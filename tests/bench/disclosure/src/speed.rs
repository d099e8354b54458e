//! The gate on a hospital that was asked many times before, each time about a window of its patients.

use clap::Args;
use fedval_ambient::{Clock as _, SystemClock};
use fedval_disclosure::{
    Earlier, Evidence, Footprint, Gate, History, SiteLocal, SitePolicy, cell_plan,
};
use fedval_stats::grid::GridScore;
use fedval_study::draft::Draft;
use fedval_study::members::{Member, UNLISTED};
use fedval_study::protocol::{StudyProtocol, Table, TableKind};
use fedval_study::summary::{
    BinaryFindings, DimensionSummary, Findings, GroupSummary, Histogram, Leaf,
};
use fedval_study::{
    CohortCommitment, LockedProtocol, Members, PatientCounts, Sha256Digest, SiteSummary,
};
use rand_distr::{Distribution as _, StandardUniform};
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeSet;

use crate::say;
use crate::support::{self, Case, MODEL, STUDY};

/// Share of patients with the target condition.
const PREVALENCE: f64 = 0.3;
/// One in so many patients comes and goes from one window to the next: of each small category enough for
/// the rule on differences.
const SHIFT: u32 = 4;

#[derive(Debug, Args)]
pub(crate) struct Speed {
    /// Patients of each window.
    #[arg(long, default_value_t = 10_000)]
    patients: u32,
    /// Windows that were released before.
    #[arg(long, default_value_t = 60)]
    earlier: usize,
    /// Categories of the first dimension.
    #[arg(long, default_value_t = 24)]
    rows: usize,
    /// Categories of the second; the crossing has rows times columns cells.
    #[arg(long, default_value_t = 40)]
    columns: usize,
    /// Every random number follows from this.
    #[arg(long, default_value_t = 20_261_126)]
    seed: u64,
}

/// A patient with one image.
#[derive(Clone, Copy)]
struct Patient {
    number: u32,
    positive: bool,
    row: usize,
    column: usize,
    score: GridScore,
}

impl Speed {
    pub(crate) fn run(&self) {
        let protocol = self.protocol();
        let tables = protocol.tables();
        let cells: usize = tables.iter().map(|table| table.categories.len()).sum();
        let all = self.patients();
        let window = |step: usize| {
            let first = step * (self.patients / SHIFT) as usize;
            &all[first..first + self.patients as usize]
        };
        say(&format!("{cells} cells, {} patients a window", self.patients));
        let mut history = History::default();
        for step in 0..=self.earlier {
            let members = members(window(step), &tables);
            if step == self.earlier {
                self.vet(&protocol, window(step), members, history);
                return;
            }
            let earlier: Vec<&Footprint> =
                history.0.iter().filter_map(|earlier| earlier.footprint.as_ref()).collect();
            let begun = SystemClock.monotonic();
            let plan = cell_plan::plan(&tables, &members, &earlier, &BTreeSet::new(), 11);
            let Ok(plan) = plan else {
                say(&format!("window {step} is refused beside the earlier ones"));
                return;
            };
            if step.is_power_of_two() || step == 0 {
                let seconds = SystemClock.monotonic().saturating_sub(begun).as_secs_f64();
                say(&format!("{step:>4} earlier: {seconds:.2} s, {} MiB at most", peak_mib()));
            }
            let shown = plan.iter().map(|cells| cells.iter().map(Option::is_none).collect());
            history.0.push(earlier_release(
                &protocol,
                Footprint { members, shown: shown.collect(), noisy: false },
            ));
        }
    }

    /// The whole gate on the last window.
    fn vet(
        &self,
        protocol: &StudyProtocol,
        window: &[Patient],
        members: Members,
        history: History,
    ) {
        let summary = SiteLocal::new(summary(protocol, window, members));
        let text = format!(
            "profile = \"standard\"\nk = 11\nbit_budget = {}\nreleases_per_year = 1000\n",
            1 << 20
        );
        let Ok(policy) = SitePolicy::parse(text.as_bytes()) else { return };
        let Ok(locked) = LockedProtocol::new(protocol.clone()) else { return };
        let history = SiteLocal::new(history);
        let evidence =
            Evidence { summary: &summary, history: &history, now_ms: 1, noise_seed: [0; 32] };
        let header = support::header(&locked, "site-a");
        let begun = SystemClock.monotonic();
        let vetted = Gate::new(policy.for_study(protocol), protocol).vet(header, &evidence);
        let seconds = SystemClock.monotonic().saturating_sub(begun).as_secs_f64();
        let outcome = match vetted {
            Ok(vetted) => {
                let shown = vetted
                    .decisions()
                    .iter()
                    .filter(|decision| decision.verdict == fedval_disclosure::Verdict::Released);
                format!("{} quantities shown", shown.count())
            }
            Err(withheld) => format!("withheld: {withheld}"),
        };
        let earlier = self.earlier;
        say(&format!(
            "gate, {earlier} earlier: {seconds:.2} s, {} MiB at most; {outcome}",
            peak_mib()
        ));
    }

    fn protocol(&self) -> StudyProtocol {
        let categories = |letter: char, count: usize| -> String {
            let line = |i| format!("    {{ name = \"{letter}{i}\", values = [\"{letter}{i}\"] }},");
            (0..count).map(line).collect::<Vec<_>>().join("\n")
        };
        let begin = STUDY.find("[[subgroups]]").unwrap_or(0);
        let end = STUDY.find("[[endpoints]]").unwrap_or(0);
        let text = format!(
            "{}[[subgroups]]\ndimension = \"row\"\ncolumn = \"row\"\ncategories = [\n{}]\n\
             [[subgroups]]\ndimension = \"column\"\ncolumn = \"column\"\ncategories = [\n{}]\n\
             [[crossings]]\nname = \"both\"\nrows = \"row\"\ncolumns = \"column\"\n{}",
            &STUDY[..begin],
            categories('r', self.rows),
            categories('c', self.columns),
            &STUDY[end..]
        );
        let draft = Draft::parse(&text).expect("the study breaks no rule");
        draft.pin_model(Sha256Digest::of(MODEL), MODEL.len() as u64).expect("it pins no model")
    }

    /// Everybody who ever comes: some categories are common, others rare.
    fn patients(&self) -> Vec<Patient> {
        let mut rng = Pcg64Mcg::new(u128::from(self.seed));
        let count =
            self.patients + u32::try_from(self.earlier).unwrap_or(0) * (self.patients / SHIFT);
        let mut uniform = || -> f64 { StandardUniform.sample(&mut rng) };
        (0..count)
            .map(|number| {
                let positive = uniform() < PREVALENCE;
                let place = |u: f64, size: usize| -> usize {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_precision_loss,
                        clippy::cast_sign_loss,
                        reason = "a place among a few categories"
                    )]
                    let place = (u.powf(1.5) * size as f64) as usize;
                    place.min(size - 1)
                };
                let (row, column) = (place(uniform(), self.rows), place(uniform(), self.columns));
                #[expect(clippy::cast_possible_truncation, reason = "a score on the grid")]
                let steps =
                    (uniform() * 1_000_000.0) as i32 - if positive { 400_000 } else { 600_000 };
                let score = GridScore::from_steps(steps).expect("on the grid");
                Patient { number, positive, row, column, score }
            })
            .collect()
    }
}

fn cells(patient: &Patient, tables: &[Table]) -> Vec<u16> {
    tables
        .iter()
        .map(|table| {
            let cell = match table.kind {
                TableKind::OneWay(0) => patient.row,
                TableKind::OneWay(_) => patient.column,
                TableKind::Crossing { columns, .. } => {
                    patient.row * tables[columns].categories.len() + patient.column
                }
            };
            u16::try_from(cell).unwrap_or(UNLISTED)
        })
        .collect()
}

fn members(window: &[Patient], tables: &[Table]) -> Members {
    let key = |patient: &Patient| {
        let digest = Sha256Digest::of(&patient.number.to_le_bytes());
        std::array::from_fn(|index| digest.as_bytes()[index])
    };
    let case = |(place, patient): (u32, &Patient)| Member {
        patient: place,
        case: key(patient),
        positive: patient.positive,
        cells: cells(patient, tables).into(),
    };
    Members::new(window.iter().map(key).collect(), (0..).zip(window).map(case).collect())
}

fn summary(protocol: &StudyProtocol, window: &[Patient], members: Members) -> SiteSummary {
    let tables = protocol.tables();
    let dimensions = tables.iter().enumerate().map(|(index, table)| {
        let mut groups: Vec<Vec<Patient>> = vec![Vec::new(); table.categories.len()];
        for patient in window {
            groups[usize::from(cells(patient, &tables)[index])].push(*patient);
        }
        let leaf = |(category, group): (&fedval_study::Name, Vec<Patient>)| {
            let group = group_summary(protocol, &group);
            Leaf {
                category: Some(category.clone()),
                patients: group.as_ref().map(|group| group.by_case.patients).unwrap_or_default(),
                group,
            }
        };
        let mut leaves: Vec<Leaf> = table.categories.iter().zip(groups).map(leaf).collect();
        leaves.push(Leaf { category: None, patients: PatientCounts::default(), group: None });
        DimensionSummary { dimension: table.name.clone(), leaves }
    });
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Binary(BinaryFindings {
            overall: group_summary(protocol, window),
            dimensions: dimensions.collect(),
        }),
        members,
    }
}

fn group_summary(protocol: &StudyProtocol, group: &[Patient]) -> Option<GroupSummary> {
    let case = |patient: &Patient| Case {
        patient: patient.number,
        positive: patient.positive,
        scanner: "",
        sex: "",
        score: patient.score,
    };
    let cases: Vec<Case> = group.iter().map(case).collect();
    let performance = (!cases.is_empty()).then(|| support::performance(&cases, protocol))?;
    Some(GroupSummary {
        patients_with_several: 0,
        most_cases: 1,
        two_largest_brier_pico: 0,
        by_patient: performance.clone(),
        by_case: performance,
        histogram: Histogram::default(),
    })
}

fn earlier_release(protocol: &StudyProtocol, footprint: Footprint) -> Earlier {
    let digest = Sha256Digest::of(b"protocol");
    Earlier {
        study: protocol.id.clone(),
        protocol: fedval_study::ProtocolDigest(digest),
        model: protocol.model.digest,
        committed_at_ms: 0,
        released: true,
        rho_micro: 0,
        footprint: Some(footprint),
    }
}

/// The most memory that this process ever held.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
