//! One site with small images, and studies whose models are made for the purpose.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site, until};
use fedval_tests::process::Launch;
use fedval_tests::small_site;
use image::{GrayImage, Luma};
use serde_json::Value;

use crate::onnx_file;

/// Pixels to a side.
const SIDE: u32 = 4;

/// A coordinator and its one site.
pub(crate) struct Scene {
    pub(crate) consortium: Consortium,
    pub(crate) site: Site,
    protocols: Vec<String>,
}

/// Where the site's images and its manifest lie.
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    manifest: String,
    cases: usize,
}

impl Data {
    fn new(consortium: &Consortium) -> Self {
        let folder = consortium.path("phi-canary");
        fs::create_dir_all(&folder).unwrap();
        let manifest = "case_id,patient_id,image,label\n".to_owned();
        Self { folder, manifest, cases: 0 }
    }

    /// One more case, whose image holds these bytes.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.join(name), bytes).unwrap();
        let (case, label) = (self.cases, self.cases % 2);
        writeln!(self.manifest, "CASEX{case},PATIENTX{case},{name},{label}").unwrap();
        self.cases += 1;
    }

    /// Cases that any model can score.
    pub(crate) fn add_good(&mut self, count: usize) {
        for index in 0..count {
            let grey = u8::try_from(100 + index % 150).unwrap();
            let name = format!("good-{index}.png");
            let path = self.folder.join(&name);
            GrayImage::from_pixel(SIDE, SIDE, Luma([grey])).save(&path).unwrap();
            self.add(&name, &fs::read(path).unwrap());
        }
    }
}

impl Scene {
    /// A site with the cases that `fill` adds.
    pub(crate) fn with(fill: impl FnOnce(&mut Data)) -> Self {
        let consortium = Consortium::start();
        let mut data = Data::new(&consortium);
        fill(&mut data);
        fs::write(data.folder.join("manifest.csv"), &data.manifest).unwrap();
        let site = consortium.enrol("hospital", &data.folder);
        site.configure_also("\n[limits]\nmodel_memory_mib = 1024\ndecode_memory_mib = 1024\n");
        Self { consortium, site, protocols: Vec::new() }
    }

    /// Locks a study of this model.
    pub(crate) fn lock(&mut self, study: &str, model: &[u8]) {
        let file = self.consortium.path(&format!("{study}.onnx"));
        fs::write(&file, model).unwrap();
        let text = small_site::image_study(study, &file, SIDE)
            .replace("name = \"probability\"", "name = \"score\"");
        self.protocols.push(self.consortium.lock(study, &text));
    }

    /// The site runs and releases all studies by itself.
    pub(crate) fn run(&mut self, launch: &Launch) {
        let protocols: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        self.site.sign_policy(&protocols);
        self.site.run_by(launch);
    }

    /// Sends a study, and waits for the answer; what the site notes of it.
    pub(crate) fn ask(&self, study: &str) -> String {
        self.consortium.fedval(&["study", "dispatch", study, "--json"]).json();
        let job = until(&format!("{study} is answered"), || {
            let jobs = self.site.agent(&["jobs", "--json"]).json();
            let jobs = jobs["jobs"].as_array()?;
            let of_study = |job: &&Value| job["job"] == format!("{study}-r1");
            jobs.iter().find(of_study).filter(|job| job["state"] == "sent").cloned()
        });
        job["note"].as_str().unwrap_or_default().to_owned()
    }

    /// What the coordinator knows of the site's answer.
    pub(crate) fn status(&self, study: &str) -> String {
        self.consortium.status(study)["sites"][0]["status"].as_str().unwrap().to_owned()
    }

    /// A model that harms nobody is run, and its result is released.
    pub(crate) fn serves_the_next(&self, study: &str) {
        assert_eq!(self.ask(study), "");
        assert_eq!(self.status(study), "released");
    }

    /// Nothing of what the site keeps stands in any byte that it sent, or in its log.
    pub(crate) fn keeps_its_secrets(&self) {
        let canaries = Canaries::of_site(&self.consortium.path("phi-canary"));
        assert!(canaries.len() > 20);
        let outgoing = self.site.outgoing();
        assert!(outgoing.len() > 1_000, "it said nothing at all");
        assert_eq!(canaries.found_in(&outgoing), Vec::<&str>::new());
        let text = String::from_utf8_lossy(&outgoing);
        for word in ["phi-canary", "panicked", "backtrace"] {
            assert!(!text.contains(word), "{word} left the site");
        }
        assert_eq!(self.site.agent(&["journal", "verify"]).code, 0);
    }
}

/// The file of a model that harms nobody; another one for each number.
pub(crate) fn harmless(number: u8) -> Vec<u8> {
    let mut graph = onnx_file::tiny_cnn();
    graph.name = format!("model {number}");
    onnx_file::bytes(graph)
}
