//! The agent and the coordinator are killed in the middle of the work; restarting is all it takes.

use std::fs;

use fedval_study::RoundId;
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::{shared, small_site};
use fedval_vault::Vault;
use serde_json::Value;

fn cases_done(site: &Site) -> usize {
    let runtime = tokio::runtime::Runtime::new().expect("it is there");
    runtime.block_on(async {
        let vault = Vault::open(&site.home.join("vault.db")).await.expect("it is there");
        let round: RoundId = "crash-r1".parse().expect("it is there");
        vault.checkpoint_list(&round).await.expect("it is there").open_on_site().len()
    })
}

#[test]
fn a_killed_agent_goes_on_where_it_was_and_a_killed_coordinator_loses_nothing() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let expected: Value =
        serde_json::from_slice(&fs::read(data.join("expected.json")).expect("it is there"))
            .expect("it is there");
    let mut consortium = Consortium::start();
    let mut site = consortium.enrol("nih-a", &data.join("nih-a"));
    let protocol = consortium
        .lock("crash", &small_site::image_study("crash", &data.join("pneumonia.onnx"), 256));
    site.sign_policy(&[&protocol]);
    consortium.fedval(&["study", "dispatch", "crash", "--json"]).json();

    let mut done = 0;
    for _ in 0..3 {
        site.run();
        done = until("some more cases are done", || {
            let now = cases_done(&site);
            (now > done).then_some(now)
        });
        site.kill();
    }
    assert!(done < 188, "it was killed in the middle");
    assert!(cases_done(&site) >= done, "no case that was done is lost");

    // The coordinator goes away before the result can be delivered, and comes back.
    consortium.stop();
    site.run();
    site.until_job_is("released");
    site.kill();
    consortium.serve();
    site.run();
    site.until_job_is("sent");
    consortium.fedval(&["study", "close", "crash", "--json"]).json();

    let (_, report) = consortium.report("crash");
    let found = &report["sites"][0];
    assert_eq!((&found["status"], &found["n"]), (&"released".into(), &188.into()));
    let want = &expected["sites"][0];
    for count in ["tp", "fn", "fp", "tn"] {
        assert_eq!(found["operating_points"][0][count], want["at_0_5"][count]);
    }
    let ledger = site.agent(&["ledger", "show", "--json"]).json();
    assert_eq!(ledger["ledger"].as_array().expect("it is there").len(), 1, "charged once");
    assert_eq!(site.agent(&["journal", "verify"]).code, 0);
}
