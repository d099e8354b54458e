//! The gate for several classes: what is shown, what is refused, and what two releases together would give away.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../study/tests/support/mod.rs"]
mod support;

use fedval_disclosure::{
    Earlier, Evidence, Gate, History, SiteLocal, SitePolicy, Vetted, Withheld, bound_bits,
};
use fedval_stats::multiclass::{ClassScores, OneVersusRestSums};
use fedval_study::classes::ClassAreas;
use fedval_study::draft::Draft;
use fedval_study::members::Member;
use fedval_study::protocol::{StudyProtocol, Task};
use fedval_study::summary::Findings;
use fedval_study::{
    ClassPerformance, CohortCommitment, LockedProtocol, Members, Outcome, Problem as _,
    Sha256Digest, SiteResult, SiteSummary,
};
use ndarray::Array2;
use support::header;

/// The study of the other tests, with three grades or classes.
fn protocol(task: &str) -> StudyProtocol {
    let text = support::STUDY;
    let from = |key: &str| text.find(key).unwrap();
    let model = &text[from("[model]")..from("[reference_standard]")];
    let class = |class| format!("[[classes]]\nname = \"c{class}\"\nvalues = [\"{class}\"]\n");
    let classes = [0, 1, 2].map(class).concat();
    let study = format!(
        "id = \"chest\"\ntitle = \"t\"\ntarget_condition = \"c\"\ntask = \"{task}\"\n{model}\
         [reference_standard]\ndescription = \"d\"\n[analysis]\nunit = \"patient\"\n\
         combine = \"first\"\n[disclosure]\nk = 11\n[[endpoints]]\nname = \"e\"\n\
         metric = \"accuracy\"\nlimit = 0.5\n{classes}"
    );
    Draft::parse(&study).unwrap().pin_model(Sha256Digest::of(support::MODEL), 20).unwrap()
}

/// So many patients of each class, from the patient `first` on.
fn summary(task: &Task, first: u32, sizes: [u32; 3]) -> SiteSummary {
    let class: Vec<u16> =
        (0_u16..).zip(sizes).flat_map(|(class, size)| (0..size).map(move |_| class)).collect();
    summary_of(task, &(first..).zip(class).collect::<Vec<_>>())
}

fn summary_of(task: &Task, patients: &[(u32, u16)]) -> SiteSummary {
    let key = |patient: u32| {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&patient.to_le_bytes());
        key
    };
    let mut members = Members::default();
    for (place, (patient, class)) in (0_u32..).zip(patients) {
        members.patients.push(key(*patient));
        members.cases.extend([true, false].map(|positive| Member {
            patient: place,
            case: key(*patient),
            positive,
            cells: [*class].into(),
        }));
    }
    let class: Vec<usize> = patients.iter().map(|(_, class)| usize::from(*class)).collect();
    let mut confusion = vec![vec![0; 3]; 3];
    for (index, class) in class.iter().enumerate() {
        confusion[*class][(class + usize::from(index % 5 == 0)) % 3] += 1;
    }
    let areas = matches!(task, Task::MultiClass(_)).then(|| {
        let keys = Array2::from_shape_fn((class.len(), 3), |(index, of)| {
            i64::try_from((index * 31 + of * 17) % 23).unwrap() + i64::from(class[index] == of) * 9
        });
        let scores = ClassScores::new(class.clone(), keys).unwrap();
        Box::new(ClassAreas::of(&OneVersusRestSums::of(&scores)).unwrap())
    });
    SiteSummary {
        cohort: CohortCommitment(Sha256Digest::of(b"cohort")),
        failures: Vec::new(),
        findings: Findings::Classes(Some(ClassPerformance { areas, confusion })),
        members,
    }
}

struct Site {
    policy: SitePolicy,
    protocol: StudyProtocol,
    history: History,
}

impl Site {
    fn new(task: &str) -> Self {
        let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 11\n").unwrap();
        Self { policy, protocol: protocol(task), history: History::default() }
    }

    fn under(task: &str, policy: &str) -> Self {
        Self { policy: SitePolicy::parse(policy.as_bytes()).unwrap(), ..Self::new(task) }
    }

    fn vet(&self, summary: SiteSummary) -> Result<Vetted<SiteResult>, Withheld> {
        let locked = LockedProtocol::new(self.protocol.clone()).unwrap();
        let evidence = Evidence {
            summary: &SiteLocal::new(summary),
            history: &SiteLocal::new(self.history.clone()),
            now_ms: 0,
            noise_seed: [7; 32],
        };
        let policy = self.policy.for_study(&self.protocol);
        Gate::new(policy, &self.protocol).vet(header(&locked, "site-a"), &evidence)
    }

    /// The same, remembered by the ledger.
    fn release(&mut self, summary: SiteSummary) -> Result<Vetted<SiteResult>, Withheld> {
        let vetted = self.vet(summary)?;
        self.history.0.push(Earlier {
            study: "other".parse().unwrap(),
            protocol: LockedProtocol::new(self.protocol.clone()).unwrap().digest(),
            model: self.protocol.model.digest,
            committed_at_ms: 0,
            released: true,
            rho_micro: 0,
            footprint: vetted.footprint().map(|footprint| footprint.open_on_site().clone()),
        });
        Ok(vetted)
    }

    fn summary(&self, first: u32, sizes: [u32; 3]) -> SiteSummary {
        summary(&self.protocol.task, first, sizes)
    }
}

fn code(answer: Result<Vetted<SiteResult>, Withheld>) -> &'static str {
    answer.map_or_else(|withheld| withheld.code(), |_| "released")
}

#[test]
fn with_enough_patients_of_each_class_the_table_is_released_as_it_was_counted() {
    for task in ["ordinal", "multi_class"] {
        let site = Site::new(task);
        let summary = site.summary(0, [40, 11, 30]);
        let Findings::Classes(Some(counted)) = summary.findings.clone() else { panic!("{task}") };
        let vetted = site.vet(summary).unwrap();
        let Outcome::ReleasedClasses(release) = &vetted.value().outcome else { panic!("{task}") };
        assert_eq!(release.overall, counted);
        assert_eq!(release.overall.areas.is_some(), task == "multi_class");
        assert!(vetted.decisions().iter().any(|decision| decision.quantity == "class = c1"));
        let bits = bound_bits(vetted.value());
        assert!((300..2_000).contains(&bits), "{bits}");
    }
}

#[test]
fn a_class_of_fewer_than_k_patients_ends_in_insufficient() {
    let site = Site::new("ordinal");
    for sizes in [[40, 10, 30], [40, 0, 30], [11, 11, 0]] {
        assert_eq!(code(site.vet(site.summary(0, sizes))), "INSUFFICIENT", "{sizes:?}");
    }
    let nobody = SiteSummary { findings: Findings::Classes(None), ..site.summary(0, [0, 0, 0]) };
    assert_eq!(code(site.vet(nobody)), "INSUFFICIENT");
}

#[test]
fn under_a_policy_that_rounds_or_keeps_counts_the_question_itself_is_refused() {
    for profile in ["strict", "cms", "opensafely", "acro", "ohdsi", "dp"] {
        let site = Site::under("ordinal", &format!("profile = \"{profile}\"\nk = 11\n"));
        let answer = site.vet(site.summary(0, [400, 400, 400]));
        assert_eq!(answer.as_ref().err().map(Withheld::outcome), Some(Outcome::Refused));
        assert_eq!(code(answer), "CLASSES_NEED_EXACT_COUNTS", "{profile}");
    }
}

#[test]
fn an_exception_lets_the_table_out_once() {
    let digest = LockedProtocol::new(protocol("ordinal")).unwrap().digest();
    let policy = format!(
        "profile = \"strict\"\nk = 11\ntwo_persons = true\nlocked_exact = [\"{digest}\"]\n"
    );
    let mut site = Site::under("ordinal", &policy);
    assert!(site.release(site.summary(0, [40, 20, 30])).is_ok());
    assert_eq!(code(site.vet(site.summary(0, [40, 20, 30]))), "CLASSES_NEED_EXACT_COUNTS");
}

#[test]
fn two_releases_that_differ_by_few_patients_of_one_class_are_not_both_made() {
    let mut site = Site::new("ordinal");
    site.release(site.summary(0, [40, 20, 30])).unwrap();
    // The same patients again.
    assert!(site.vet(site.summary(0, [40, 20, 30])).is_ok());
    // One more of the last class.
    assert_eq!(code(site.vet(site.summary(0, [40, 20, 31]))), "EARLIER_RELEASES");
    // As many in all, but one patient has changed class.
    let mut moved: Vec<(u32, u16)> = (0..90)
        .map(|p| {
            (
                p,
                if p < 40 {
                    0
                } else if p < 60 {
                    1
                } else {
                    2
                },
            )
        })
        .collect();
    moved[0].1 = 1;
    assert_eq!(code(site.vet(summary_of(&site.protocol.task, &moved))), "EARLIER_RELEASES");
    // Enough others of each class.
    assert!(site.vet(site.summary(1_000, [40, 20, 30])).is_ok());
}

#[test]
fn a_study_of_one_condition_is_held_against_the_classes_of_the_same_patients() {
    let mut site = Site::new("ordinal");
    site.release(site.summary(0, [40, 40, 40])).unwrap();
    let binary = |positive: std::ops::Range<u32>| {
        let members = site.history.0[0].footprint.clone().unwrap().members;
        let mut cases = members.cases.clone();
        cases.retain(|case| case.positive == positive.contains(&case.patient));
        let tables = support::protocol().tables();
        for case in &mut cases {
            case.cells = vec![fedval_study::members::UNLISTED; tables.len()].into();
        }
        Members::new(members.patients.clone(), cases)
    };
    let plan = |members: &Members| {
        let (tables, earlier) =
            (support::protocol().tables(), site.history.0[0].footprint.clone().unwrap());
        fedval_disclosure::cell_plan::plan(
            &tables,
            members,
            &[&earlier],
            &std::collections::BTreeSet::new(),
            11,
        )
    };
    // The condition is just the upper two classes.
    assert!(plan(&binary(40..120)).is_ok());
    // It is the last class but for five patients: they would follow.
    assert!(plan(&binary(85..120)).is_err());
    // So would five that have it and are of the first class, whatever the others are.
    assert!(plan(&binary(35..120)).is_err());
}

#[test]
fn a_table_that_counts_others_than_the_ledger_remembers_is_refused() {
    let site = Site::new("ordinal");
    let good = || site.summary(0, [40, 20, 30]);
    let lies: [fn(&mut SiteSummary); 4] = [
        |s| s.members.cases[0].cells[0] = 2,
        |s| s.members.cases[0].cells.push(0),
        |s| s.members.cases.truncate(100),
        |s| {
            let Findings::Classes(Some(found)) = &mut s.findings else { panic!("classes") };
            found.confusion[0][0] += 1;
        },
    ];
    for (place, lie) in lies.into_iter().enumerate() {
        let mut summary = good();
        lie(&mut summary);
        assert_eq!(code(site.vet(summary)), "RESULT_SCHEMA", "{place}");
    }
    let other = Site::new("multi_class");
    assert_eq!(code(other.vet(good())), "RESULT_SCHEMA");
    let binary = support::summary(&support::large(), &support::protocol());
    assert_eq!(code(site.vet(binary)), "RESULT_SCHEMA");
}
