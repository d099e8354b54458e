//! Whole evaluations with real boxes: a cohort on disk goes in, a summary comes out.
//!
//! This executable is three programs: started with a role, it is the decoder or the model's box.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod classes;
mod conditions;
mod detection;
mod engines;
mod masks;
#[path = "../../../inference/tests/oip_server/mod.rs"]
mod oip_server;
#[path = "../../../inference/tests/onnx_file/mod.rs"]
mod onnx_file;
mod pacs;
#[path = "../../../inference/tests/real_server/mod.rs"]
mod real_server;
mod regression;
#[expect(dead_code, reason = "what another crate's tests need of it")]
#[path = "../../../ingest/tests/pacs/server.rs"]
mod server;
mod shards;
mod site;
#[path = "../../../../common/study/tests/support/mod.rs"]
mod study;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use fedval_ambient::{Exit, Problem as _};
use fedval_evaluate::{Progress, check_preprocessing, probe_count};
use fedval_inference::{INFERENCE_ROLE, inference_box_main};
use fedval_ingest::{DECODE_ROLE, DecodeLimits, TABLE_ROLE, decode_box_main, table_box_main};
use fedval_preprocess::probe::Probes;
use fedval_study::FailedStage;
use fedval_study::protocol::{
    Combine, FrameChoice, ModelInput, PredictionTables, Resize, ValueScaling,
};
use fedval_study::summary::FailureReason;
use libtest_mimic::{Arguments, Trial};
use real_server::Maker;
use site::{CASES, Site, doubled_u, found, overall};

/// Cases of an evaluation that is dropped in the middle.
const MANY: usize = 10 * CASES;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(DECODE_ROLE) => return decode_box_main(),
        Some(TABLE_ROLE) => return table_box_main(),
        Some(INFERENCE_ROLE) => return inference_box_main(),
        _ => {}
    }
    let trials = of_tasks().into_iter().chain(of_running()).chain(of_sources_and_engines());
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// What is counted, task by task.
fn of_tasks() -> Vec<Trial> {
    vec![
        trial("every_image_is_scored_once_and_counted_as_its_label_says", counts_images()),
        trial("a_patient_has_one_score_where_the_protocol_says_so", counts_patients()),
        trial("a_patient_of_several_grades_is_counted_once", classes::counts_grades()),
        trial("a_grade_is_that_of_all_images_also_of_one_that_failed", classes::keeps_grades()),
        trial("scores_of_classes_that_do_not_add_up_to_1_fail_their_case", classes::adds_up()),
        trial("a_patient_counts_for_each_of_several_conditions", conditions::counts_each()),
        trial("each_condition_is_counted_by_group", conditions::counts_groups()),
        trial("who_lacks_a_reference_is_missing_from_one_condition", conditions::leaves_out()),
        trial("scores_of_conditions_need_not_add_up", conditions::does_not_add_up()),
        trial(
            "patients_with_two_masks_are_measured_and_others_counted",
            masks::measures_patients(),
        ),
        trial("of_several_masks_of_a_patient_the_first_counts", masks::counts_the_first_image()),
        trial(
            "masks_that_cannot_be_compared_fail_their_case",
            masks::fails_what_cannot_be_compared(),
        ),
        trial("masks_that_processes_compared_are_counted_as_if_one_had", masks::splits_masks()),
        trial("grades_that_processes_found_are_counted_as_if_one_had", classes::splits_grades()),
        trial("scores_that_processes_read_are_counted_as_if_one_had", shards::split_scores()),
        trial("a_patient_is_measured_once_and_within_bounds", regression::measures_patients()),
        trial(
            "a_prediction_that_is_no_number_fails_its_case",
            regression::fails_what_is_no_number(),
        ),
        trial("findings_are_matched_scan_by_scan", detection::counts_findings()),
        trial("a_scan_that_was_not_read_is_a_failed_case", detection::leaves_out_unread_scans()),
        trial(
            "a_scan_whose_lesions_do_not_count_is_left_out",
            detection::leaves_out_scans_whose_lesions_do_not_count(),
        ),
        trial("files_of_findings_that_do_not_fit_are_refused", detection::refuses_other_files()),
    ]
}

/// How an evaluation runs, stops and goes on.
fn of_running() -> Vec<Trial> {
    vec![
        trial("a_case_without_a_known_category_is_in_the_unlisted_leaf", breaks_down()),
        trial("failed_cases_are_counted_by_patient_with_their_reasons", counts_failures()),
        trial("one_failure_above_the_limit_fails_the_evaluation", stops_at_the_limit()),
        trial("a_file_above_the_limit_is_a_failed_case", refuses_large_files()),
        trial("what_was_done_is_not_done_again_and_the_result_is_the_same", resumes()),
        trial("an_evaluation_that_was_dropped_goes_on_where_it_was", goes_on()),
        trial("a_changed_line_of_the_manifest_is_evaluated_again", evaluates_again()),
        trial("cases_that_left_the_manifest_are_forgotten", forgets()),
        trial("the_number_of_lanes_does_not_show", runs_in_lanes()),
        trial("the_order_of_the_manifest_does_not_show", ignores_order()),
        trial("the_commitment_binds_labels_and_images_with_the_secret", commits()),
        trial("each_way_of_failing_names_its_stage", names_stages()),
    ]
}

/// Where scores come from, and who makes them.
fn of_sources_and_engines() -> Vec<Trial> {
    vec![
        trial("a_prediction_table_needs_neither_images_nor_model", takes_scores()),
        trial("a_prediction_table_is_refused_where_the_protocol_wants_images", refuses_scores()),
        trial(
            "a36_a_pacs_that_locks_the_agent_out_costs_nothing_that_was_done",
            pacs::is_locked_out(),
        ),
        trial(
            "a36_a_series_within_which_the_agent_is_locked_out_costs_nothing_that_was_done",
            pacs::series::is_locked_out_within_one(),
        ),
        trial(
            "a36_a_series_of_somebody_else_is_a_failed_case",
            pacs::series::is_of_somebody_else(),
        ),
        trial("probe_images_go_through_the_box_and_agree_with_the_protocol", shows_preprocessing()),
        trial("a_box_without_room_for_a_probe_reads_no_case", is_told_of_a_box_that_ends()),
        trial("an_image_that_the_pacs_lacks_is_a_failed_case", pacs::lacks_an_image()),
        trial("a_url_without_a_pacs_fails_no_case", pacs::is_not_one()),
        trial("one_process_and_three_come_to_the_same_bits", shards::split_evenly()),
        trial("another_kind_of_machine_scores_nothing", shards::on_another_machine()),
        trial("what_no_process_did_is_done_by_the_agent", shards::goes_on_without_one()),
        trial("a_server_counts_what_the_embedded_engine_counts", engines::serves()),
        trial("another_engine_scores_every_case_anew", engines::changes()),
        trial("a_second_engine_that_agrees_changes_nothing", engines::agrees()),
        trial("two_engines_that_disagree_end_the_job_before_a_case", engines::disagrees()),
        trial("onnx_runtime_and_the_embedded_engine_agree", engines::runs_both_here()),
        trial("mlserver_counts_what_the_embedded_engine_counts", engines::runs_on(Maker::MlServer)),
        trial("kserve_counts_what_the_embedded_engine_counts", engines::runs_on(Maker::KServe)),
        trial("triton_counts_what_the_embedded_engine_counts", engines::runs_on(Maker::Triton)),
        trial("a_server_that_has_gone_is_waited_for", engines::waits()),
        trial("a_server_that_fails_on_a_case_ends_the_job", engines::fails_on_a_case()),
        trial("a26_a_server_that_drifts_is_found", engines::drifts()),
    ]
}

fn trial(name: &str, test: impl Future<Output = ()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test);
        Ok(())
    })
}

async fn counts_images() {
    let site = Site::new().await;
    let progress = Progress::default();
    let summary = site.run_watched("chest-r1", &progress).await.unwrap();
    assert_eq!(progress.get(), (CASES + 20, CASES + 20), "twenty went through again");
    let found = overall(&summary);
    assert_eq!((found.patients.total, found.patients.with_positive), (30, 15));
    assert_eq!((found.ranks.n_pos, found.ranks.n_neg), (30, 30));
    assert!(found.is_clustered(), "two images of each patient");
    let scores: Vec<_> = site.rows.iter().map(|row| (row.logit(), row.is_positive())).collect();
    assert_eq!(found.ranks.doubled_u, doubled_u(&scores));
    for (point, locked) in found.operating_points.iter().zip(&site.protocol.operating_points) {
        let called = |row: &&site::Row| row.probability() >= locked.threshold;
        let positives = site.rows.iter().filter(|row| row.is_positive());
        let negatives = site.rows.iter().filter(|row| !row.is_positive());
        assert_eq!(point.counts.tp, positives.filter(called).count() as u64);
        assert_eq!(point.counts.fp, negatives.filter(called).count() as u64);
    }
    assert!(found.operating_points.iter().any(|point| point.counts.tp > 0));
    assert!(summary.failures.is_empty());
}

async fn takes_scores() {
    let mut site = Site::new().await;
    site.protocol.prediction_tables = PredictionTables::Accept;
    let from_images = site.run("chest-r1").await.unwrap();
    site.bring_scores(|row| row.logit().to_string());
    let progress = Progress::default();
    let summary = site.run_watched("chest-r2", &progress).await.unwrap();
    assert_eq!(progress.get(), (CASES, CASES));
    assert_eq!(overall(&summary), overall(&from_images), "the same scores, the same counts");
    assert_ne!(summary.cohort, from_images.cohort);
    // A score that is missing or off its scale is a case without a result.
    site.bring_scores_again(|row| match row.case_id.as_str() {
        "CASE0" => String::new(),
        "CASE2" => "inf".to_owned(),
        _ => row.logit().to_string(),
    });
    site.protocol.analysis.failure_limit = 0.5;
    let summary = site.run("chest-r3").await.unwrap();
    let failures: Vec<_> = summary.failures.iter().flatten().copied().collect();
    assert_eq!(failures, [FailureReason::InvalidOutput, FailureReason::InvalidOutput]);
}

async fn refuses_scores() {
    let mut site = Site::new().await;
    site.bring_scores(|row| row.logit().to_string());
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!(
        (error.code(), error.stage(), error.exit()),
        ("PREDICTIONS_NOT_ACCEPTED", Some(FailedStage::DataSource), Exit::Usage)
    );
}

async fn counts_patients() {
    let combined = |scores: [f64; 2], combine| match combine {
        Combine::Mean => f64::midpoint(scores[0], scores[1]),
        Combine::Maximum => scores[0].max(scores[1]),
        Combine::First => scores[0],
    };
    for combine in [Combine::Mean, Combine::Maximum, Combine::First] {
        let site = Site::by_patient(combine).await;
        let summary = site.run("chest-r1").await.unwrap();
        let found = overall(&summary);
        assert_eq!((found.ranks.n_pos, found.ranks.n_neg), (15, 15));
        assert!(!found.is_clustered());
        let scores: Vec<_> = site
            .rows
            .chunks(2)
            .map(|images| {
                let scores = [images[0].probability(), images[1].probability()];
                (combined(scores, combine), images[0].is_positive())
            })
            .collect();
        assert_eq!(found.ranks.doubled_u, doubled_u(&scores), "{combine:?}");
    }
}

async fn breaks_down() {
    let site = Site::new().await;
    let summary = site.run("chest-r1").await.unwrap();
    let [scanner] = &found(&summary).dimensions[..] else { panic!("one dimension") };
    let leaves: Vec<_> = scanner
        .leaves
        .iter()
        .map(|leaf| (leaf.category.as_ref().map(fedval_study::Name::as_str), leaf.patients.total))
        .collect();
    // Every fifth patient was examined on `z`, which nobody listed, and every fifth on nobody knows.
    assert_eq!(leaves, [(Some("a"), 6), (Some("b"), 6), (Some("c"), 6), (None, 12)]);
    let cases: u64 = scanner
        .leaves
        .iter()
        .map(|leaf| {
            let performance = &leaf.group.as_ref().unwrap().by_patient;
            performance.check().unwrap();
            performance.ranks.n_pos + performance.ranks.n_neg
        })
        .sum();
    assert_eq!(cases, CASES as u64, "leaves divide the cohort");
}

async fn counts_failures() {
    let mut site = Site::new().await;
    // Three of sixty are exactly five in a hundred. A missing label is no failure of the model.
    site.spoil([0, 1, 2]);
    site.rows[5].label = "";
    site.write_manifest();
    let summary = site.run("chest-r1").await.unwrap();
    let reasons = |list: &[FailureReason]| list.iter().copied().collect::<BTreeSet<_>>();
    let expected = [
        reasons(&[FailureReason::Undecodable, FailureReason::WrongSize]),
        reasons(&[FailureReason::InvalidOutput]),
        reasons(&[FailureReason::NoReference]),
    ];
    assert_eq!(summary.failures, expected);
    let found = overall(&summary);
    assert_eq!(found.ranks.n_pos + found.ranks.n_neg, 56);
    assert_eq!(found.patients.total, 29, "both images of the first patient failed");
}

async fn stops_at_the_limit() {
    let mut site = Site::new().await;
    site.spoil([0, 1, 2]);
    site.damage(3);
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!((error.code(), error.exit()), ("TOO_MANY_FAILED_CASES", Exit::Usage));
    assert_eq!(error.stage(), Some(FailedStage::Evaluation));
    assert!(error.remedy().unwrap().contains("check --study"));
    assert_eq!(site.cases_done("chest-r1").await, CASES, "a steward can look at every case");
}

async fn refuses_large_files() {
    let mut site = Site::new().await;
    let honest = std::fs::metadata(site.file(0)).unwrap().len();
    site.decode_limits.max_file_bytes = honest + 100;
    std::fs::write(site.file(3), vec![0; 1_000_000]).unwrap();
    let summary = site.run("chest-r1").await.unwrap();
    assert_eq!(summary.failures, [BTreeSet::from([FailureReason::Undecodable])]);
}

async fn resumes() {
    let site = Site::new().await;
    let whole = site.run("chest-r1").await.unwrap();
    site.sql("DELETE FROM checkpoints WHERE case_index % 2 = 0").await;
    // Whoever looked at a case that is done already would stumble.
    for done in (1..CASES).step_by(2) {
        site.damage(done);
    }
    assert_eq!(site.run("chest-r1").await.unwrap(), whole);
}

async fn goes_on() {
    let mut site = Site::new().await;
    site.lanes = 1;
    // Checkpoints are written a few dozen at a time: there must be many times as many cases.
    site.grow(MANY);
    let whole = site.run("chest-r1").await.unwrap();
    let progress = Progress::default();
    let enough = async {
        while progress.get().0 < 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = site.run_watched("chest-r2", &progress) => panic!("it was not dropped in the middle"),
        () = enough => {}
    }
    let done = site.cases_done("chest-r2").await;
    assert!((10..MANY).contains(&done), "{done}");
    assert!(done >= progress.get().0, "what was counted as done is on the disk");
    let again = Progress::default();
    assert_eq!(site.run_watched("chest-r2", &again).await.unwrap(), whole);
    let again_too = MANY + MANY / 20;
    assert_eq!(again.get(), (again_too, again_too));
}

async fn evaluates_again() {
    let mut site = Site::new().await;
    let before = site.run("chest-r1").await.unwrap();
    site.damage(4);
    site.damage(8);
    assert_eq!(site.run("chest-r1").await.unwrap(), before, "nothing in the manifest changed");
    site.rows[8].label = "1";
    site.write_manifest();
    let after = site.run("chest-r1").await.unwrap();
    assert_eq!(after.failures, [BTreeSet::from([FailureReason::Undecodable])]);
    assert_eq!(overall(&after).ranks.n_neg, overall(&before).ranks.n_neg - 1);
    assert_ne!(after.cohort, before.cohort);
}

async fn forgets() {
    let mut site = Site::new().await;
    site.protocol.analysis.failure_limit = 0.0;
    site.damage(CASES - 1);
    assert_eq!(site.run("chest-r1").await.unwrap_err().code(), "TOO_MANY_FAILED_CASES");
    site.rows.pop();
    site.write_manifest();
    let summary = site.run("chest-r1").await.unwrap();
    let found = overall(&summary);
    assert_eq!(found.ranks.n_pos + found.ranks.n_neg, CASES as u64 - 1);
    assert!(summary.failures.is_empty());
}

async fn runs_in_lanes() {
    let mut site = Site::new().await;
    let mut summaries = Vec::new();
    for (lanes, round) in [(1, "chest-r1"), (3, "chest-r2"), (0, "chest-r3"), (500, "chest-r4")] {
        if lanes == 500 {
            // Boxes are started for three cases, not for five hundred.
            site.rows.truncate(3);
            site.write_manifest();
        }
        site.lanes = lanes;
        summaries.push(site.run(round).await.unwrap());
    }
    assert_eq!(summaries[0], summaries[1]);
    assert_eq!(summaries[0], summaries[2]);
    assert_eq!(overall(&summaries[3]).probabilities.n, 3);
}

async fn ignores_order() {
    let mut site = Site::new().await;
    let there = site.run("chest-r1").await.unwrap();
    site.rows.reverse();
    site.write_manifest();
    let back = site.run("chest-r2").await.unwrap();
    assert_eq!(there.cohort, back.cohort);
    assert_eq!(overall(&there).ranks, overall(&back).ranks);
    assert_eq!(overall(&there).rank_clusters, overall(&back).rank_clusters);
    assert_eq!(overall(&there).operating_points, overall(&back).operating_points);
}

async fn commits() {
    let mut site = Site::new().await;
    let plain = site.run("chest-r1").await.unwrap().cohort;
    assert_eq!(site.run("chest-r2").await.unwrap().cohort, plain, "rounds do not matter");
    site.draw(0, 200);
    let other_image = site.run("chest-r3").await.unwrap().cohort;
    site.secret = [8; 32];
    let other_secret = site.run("chest-r3").await.unwrap().cohort;
    let all = BTreeSet::from([plain, other_image, other_secret]);
    assert_eq!(all.len(), 3);
}

async fn names_stages() {
    let mut site = Site::new().await;
    let name = std::mem::replace(&mut site.protocol.model.input.name, "other".to_owned());
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!(error.stage(), Some(FailedStage::ModelLoad));
    assert!(error.remedy().is_some() && !error.is_model_damaged(), "{}", error.code());
    site.protocol.model.input.name = name;
    site.damage_model();
    let error = site.run("chest-r1").await.unwrap_err();
    assert!(error.is_model_damaged(), "{}", error.code());
    site.rows[0].label = "maybe";
    site.write_manifest();
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!((error.code(), error.stage()), ("MANIFEST_INVALID", Some(FailedStage::DataSource)));
    for told in [error.to_string(), error.remedy().unwrap()] {
        assert!(!told.contains("CASE0") && !told.contains("PATIENT"), "{told}");
    }
}

async fn shows_preprocessing() {
    let site = Site::new().await;
    let mut input = site.protocol.model.input.clone();
    let windowed = ValueScaling::Window { low: -1350.0, high: 150.0 };
    for scaling in [ValueScaling::Unit, ValueScaling::Modality, windowed, ValueScaling::Voi] {
        for (resize, channels, frame) in [
            (Resize::Refuse, 1, FrameChoice::Only),
            (Resize::Bilinear, 3, FrameChoice::Middle),
            (Resize::Letterbox, 3, FrameChoice::Number(2)),
        ] {
            input = ModelInput { height: 40, width: 24, scaling, resize, channels, frame, ..input };
            let agreed = check_preprocessing(&input, site.decode_limits).await.unwrap();
            assert_eq!(agreed, Probes::of(&input).expected(), "{input:?}");
            assert_eq!(agreed.all().count(), probe_count(&input));
        }
    }
}

async fn is_told_of_a_box_that_ends() {
    let site = Site::new().await;
    let input = ModelInput { height: 512, width: 512, ..site.protocol.model.input.clone() };
    // It starts, and ends at the first image.
    let limits = DecodeLimits { wall_clock_seconds: 0, ..site.decode_limits };
    let error = check_preprocessing(&input, limits).await.unwrap_err();
    assert_eq!(error.code(), "PREPROCESSING_DIFFERS");
    assert_eq!(error.stage(), None);
    let told = error.to_string();
    assert!(told.contains("scaling_black") && told.contains("DECODER_"), "{told}");
}
