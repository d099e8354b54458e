//! Three hospitals whose PACS – Orthanc – has no web services give the numbers that the same images give from
//! a folder: by C-GET twice, and by C-MOVE.

use fedval_tests::consortium::{Site, free_port};
use fedval_tests::hospital::{Hospital, STUDY, differences, dispatch, enrolled, hospitals, report};
use fedval_tests::orthanc::{self, AGENT_TITLE, Orthanc, PACS_TITLE};
use fedval_tests::shared;
use tempfile::TempDir;

/// How each hospital's manifest names its images, and how they come.
const WAYS: [(&str, &str); 3] =
    [("sop_instance_uid", "get"), ("accession_number", "get"), ("study_instance_uid", "move")];
/// One patient in so many, in each of the three.
const SHARE: usize = 4;

/// Reads from the PACS in the place of the folder.
fn read_from(
    site: &Site,
    hospital: &Hospital,
    find_by: &str,
    retrieve: &str,
    title: &str,
) -> Orthanc {
    let arrivals = free_port();
    let pacs = Orthanc::start_with_dimse(arrivals);
    hospital.fill(&pacs);
    let listen = match retrieve {
        "move" => format!("listen = \"127.0.0.1:{arrivals}\"\n"),
        _ => String::new(),
    };
    let table = format!(
        "[data_sources.dimse]\naddress = \"{}\"\ncalled_ae = \"{PACS_TITLE}\"\n\
         calling_ae = \"{title}\"\nretrieve = \"{retrieve}\"\n{listen}without_tls = true",
        pacs.dimse_address(),
    );
    hospital.move_to_pacs(site, find_by, &table);
    pacs
}

#[test]
fn three_pacs_without_web_services_give_the_numbers_of_three_folders_and_nothing_of_a_patient_leaves()
 {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = hospitals(&data, work.path(), SHARE);

    let (consortium, mut sites) = enrolled(&hospitals);
    dispatch(&consortium, &mut sites, &data);
    let (_, from_folders) = report(&consortium);
    drop((sites, consortium));
    let listed = from_folders["sites"].as_array().expect("a list");
    assert!(listed.iter().all(|site| site["status"] == "released"), "{listed:?}");

    let (consortium, mut sites) = enrolled(&hospitals);
    let mut pacs = Vec::new();
    for ((site, hospital), (find_by, retrieve)) in sites.iter().zip(&hospitals).zip(WAYS) {
        pacs.push(read_from(site, hospital, find_by, retrieve, AGENT_TITLE));
        let check = site.agent(&["check", "--json"]);
        assert!(check.out.contains("the PACS answers"), "{}{}", check.out, check.err);
    }
    dispatch(&consortium, &mut sites, &data);
    let (out, from_pacs) = report(&consortium);
    assert_eq!(differences(&from_pacs, &from_folders), Vec::<String>::new());
    for (site, hospital) in sites.iter().zip(&hospitals) {
        hospital.check_egress(&consortium, site, &out, &[AGENT_TITLE, PACS_TITLE]);
    }
    drop(pacs);
}

#[test]
fn a_title_that_the_pacs_does_not_know_holds_the_job_up_and_no_case_fails() {
    let Some(data) = shared::folder("data/cxr") else { return };
    if !orthanc::is_there() {
        return;
    }
    let work = TempDir::new().expect("a temporary folder");
    let hospitals = &hospitals(&data, work.path(), SHARE)[..1];
    let (consortium, mut sites) = enrolled(hospitals);
    let (find_by, retrieve) = WAYS[0];
    let pacs = read_from(&sites[0], &hospitals[0], find_by, retrieve, AGENT_TITLE);
    sites[0].reconfigure(PACS_TITLE, "ZZOTHER");
    let check = sites[0].agent(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("takes no association"), "{}", check.out);
    sites[0].reconfigure("ZZOTHER", PACS_TITLE);
    dispatch(&consortium, &mut sites, &data);
    consortium.until_answered(STUDY);
    assert_eq!(consortium.status(STUDY)["sites"][0]["status"], "released");
    drop(pacs);
}
