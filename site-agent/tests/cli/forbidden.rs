//! What a site's journal keeps of a model and of files that tried to break out of their boxes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use fedval_agent::daemon::{
    Agent, Evaluator, Home, Link, NotEvaluated, ScoreGrid, Summarised, Worker,
};
use fedval_ambient::{MockClock, SeededEntropy};
use fedval_disclosure::SiteLocal;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{FailedStage, Sha256Digest};
use fedval_vault::{CaseOutcome, Checkpoint, Culprit, Job, JobState};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::agent::Machine;
use crate::study;

/// An evaluation in which a file broke its box, and then the model did.
#[derive(Debug)]
struct Hostile;

#[async_trait]
impl Evaluator for Hostile {
    async fn evaluate(
        &self,
        agent: &Agent,
        job: &Job,
        _protocol: &StudyProtocol,
        _model: &Path,
        _grid: ScoreGrid,
        _k: u64,
    ) -> Result<Summarised, NotEvaluated> {
        let checkpoint = SiteLocal::new(Checkpoint {
            row: Sha256Digest::of(b"row"),
            outcome: CaseOutcome::Forbidden,
            attributes: [("PatientSex".to_owned(), "ZZCANARY".to_owned())].into(),
            image: None,
        });
        agent.vault().checkpoint_put(job.round(), 41, &checkpoint).await.unwrap();
        Err(NotEvaluated::Failed {
            stage: FailedStage::Evaluation,
            code: Culprit::Model.code(),
            culprit: Some(Culprit::Model),
        })
    }
}

#[test]
fn a30_forbidden_calls_stand_in_the_journal_and_in_its_listing() {
    let machine = Machine::with_a_job(JobState::Approved);
    assert_eq!(machine.run(&["journal", "show"]).out, "The journal is empty.\n");
    fs::create_dir(machine.path("artifacts")).unwrap();
    let model = Sha256Digest::of(study::MODEL);
    fs::write(machine.path(&format!("artifacts/{model}.bin")), study::MODEL).unwrap();
    Runtime::new().unwrap().block_on(async {
        let (clock, entropy) = (Arc::new(MockClock::default()), Arc::new(SeededEntropy::new(3)));
        let home = Home::new(machine.home());
        let agent = Arc::new(Agent::open(home, Arc::new(Hostile), clock, entropy).await.unwrap());
        let (_way, ways) = watch::channel::<Option<Arc<dyn Link>>>(None);
        assert!(Worker::new(&agent, &ways).evaluate_next().await.unwrap());
    });
    assert_eq!(machine.state(), "awaiting_release");
    let jobs = machine.run(&["jobs", "--json"]).json();
    assert_eq!(jobs["jobs"][0]["note"], "MODEL_FORBIDDEN_CALL");
    let listed = machine.run(&["journal", "show", "--json"]).json();
    let events: Vec<_> =
        listed["journal"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    let of = |by: &str| json!({ "forbidden": { "round": "chest-r1", "by": by } });
    assert_eq!(events, [&of("model"), &of("file")]);
    let shown = machine.run(&["journal", "show"]).out;
    assert!(shown.contains("MODEL_FORBIDDEN_CALL"), "{shown}");
    assert!(shown.contains("SANDBOX_FORBIDDEN_CALL"), "{shown}");
    // Which case it was is for `check` alone, and what stood in it for nobody.
    assert!(!shown.contains("case") && !shown.contains("ZZCANARY"), "{shown}");
    assert_eq!(machine.run(&["journal", "verify", "--json"]).json()["entries"], 2);
    let checks = machine.run(&["check", "--study", "chest", "--json"]).json();
    let cases = checks["checks"].as_array().unwrap().last().unwrap();
    let problem = cases["problem"].as_str().unwrap();
    assert!(problem.ends_with("SANDBOX_FORBIDDEN_CALL: 42"), "{problem}");
}
