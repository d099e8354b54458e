//! Groups of patients by what the headers of their series say: sex, age, and how the images were reconstructed. A hospital
//! whose files have no such header tells nothing by group.

use std::fs;

use fedval_tests::canary::{Canaries, stands_in};
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::reported::{number, site};
use serde_json::Value;

use crate::made::{Element, Kept, Volume, model, volumes, write_with};
use crate::{PATIENTS, study};

/// How series are reconstructed: values that nobody else writes.
const KERNELS: [&str; 2] = ["ZZSOFT30F", "ZZBONE60"];

/// What the header of a patient's series says. Of two patients with the same one has the condition.
#[derive(Debug, Clone, Copy)]
struct Header {
    sex: &'static str,
    age: &'static str,
    /// Of two in five series nothing is said.
    kernel: Option<&'static str>,
}

impl Header {
    fn of(patient: usize) -> Self {
        let pair = patient / 2;
        let [soft, bone] = KERNELS.map(Some);
        Self {
            sex: ["F", "M"][pair % 2],
            // 34 years, in months.
            age: ["408M", "055Y", "078Y"][pair % 3],
            kernel: [soft, soft, bone, None, None][pair % 5],
        }
    }

    fn elements(self) -> Vec<Element> {
        let mut elements = vec![
            (0x0010, 0x0040, "CS", self.sex.to_owned()),
            (0x0010, 0x1010, "AS", self.age.to_owned()),
        ];
        elements.extend(self.kernel.map(|kernel| (0x0018, 0x1210, "SH", kernel.to_owned())));
        elements
    }

    /// Whether the patient is in a category of the study.
    fn is_in(self, category: &str) -> bool {
        match category {
            "female" => self.sex == "F",
            "male" => self.sex == "M",
            "under-50" => self.age == "408M",
            "50-to-64" => self.age == "055Y",
            "65-and-over" => self.age == "078Y",
            "soft" => self.kernel == Some(KERNELS[0]),
            "bone" => self.kernel == Some(KERNELS[1]),
            other => panic!("{other}"),
        }
    }
}

fn dimensions() -> String {
    let [soft, bone] = KERNELS;
    format!(
        "[[subgroups]]\ndimension = \"sex\"\ndicom = \"PatientSex\"\ncategories = [\n\
         {{ name = \"female\", values = [\"F\"] }},\n{{ name = \"male\", values = [\"M\"] }},\n]\n\
         [[subgroups]]\ndimension = \"age\"\ndicom = \"PatientAge\"\nbands = [\n\
         {{ name = \"under-50\", from = 0, below = 50 }},\n\
         {{ name = \"50-to-64\", from = 50, below = 65 }},\n\
         {{ name = \"65-and-over\", from = 65, below = 130 }},\n]\n\
         [[subgroups]]\ndimension = \"kernel\"\ndicom = \"ConvolutionKernel\"\ncategories = [\n\
         {{ name = \"soft\", values = [\"{soft}\"] }},\n{{ name = \"bone\", values = [\"{bone}\"] }},\n]\n"
    )
}

#[test]
fn groups_by_headers_hold_the_patients_whose_headers_say_so() {
    let consortium = Consortium::start();
    let file = consortium.path("model.onnx");
    fs::write(&file, model(6)).expect("a writable folder");
    let volumes = volumes(PATIENTS);
    let mut sites: Vec<Site> = [("nifti", Kept::Nifti), ("slices", Kept::Slices)]
        .into_iter()
        .map(|(name, kept)| {
            let data = consortium.path(&format!("data-{name}"));
            // NIfTI has no such header.
            write_with(&data, &volumes, kept, |patient| Header::of(patient).elements());
            consortium.enrol(name, &data)
        })
        .collect();
    let text = study(&file, "") + &dimensions();
    let (_, report) = consortium.complete("volumes", &text, &mut sites);

    for name in ["nifti", "slices"] {
        assert_eq!(site(&report, name)["n"], PATIENTS, "{name}: every volume was read");
    }
    let groups = report["subgroups"].as_array().expect("a list");
    assert_eq!(groups.len(), 7);
    for group in groups {
        check_group(group, &volumes);
    }
    for hospital in &sites {
        let canaries = Canaries::of_site(&consortium.path(&format!("data-{}", hospital.name)));
        let outgoing = hospital.outgoing();
        let mut found = canaries.found_in(&outgoing);
        found.retain(|word| word.len() > 5);
        assert_eq!(found, Vec::<&str>::new(), "{}", hospital.name);
        // A group is told by its place in the protocol, never by what a header says.
        for word in KERNELS {
            assert!(!stands_in(word, &outgoing), "{word} in what {} sent", hospital.name);
        }
    }
}

/// Holds a group against the headers, at the hospital that has some and at the one that has none.
fn check_group(group: &Value, volumes: &[Volume]) {
    let category = group["category"].as_str().expect("a name");
    let cells = group["sites"].as_array().expect("a list");
    let of = |name: &str| {
        let cell = cells.iter().find(|cell| cell["site"] == name).expect("the site");
        &cell["performance"]
    };
    assert_eq!(of("nifti")["withheld"], "S", "{category}: nobody knows who is in it");
    let found = of("slices");
    if category == "bone" {
        // Who is in neither group would otherwise follow by subtraction: the smaller one stays with them.
        assert_eq!(found["withheld"], "S");
        return;
    }
    let own = || {
        let all = volumes.iter().enumerate();
        all.filter(move |(patient, _)| Header::of(*patient).is_in(category))
            .map(|(_, volume)| volume)
    };
    let with = own().filter(|volume| volume.is_positive).count();
    let expected = [own().count(), own().count(), with, own().count() - with];
    let told = ["patients", "n", "n_pos", "n_neg"].map(|key| found[key].clone());
    assert_eq!(told, expected.map(Value::from), "{category}");
    let response: u64 =
        ["tp", "fn"].iter().filter_map(|cell| found["response"][0][cell].as_u64()).sum();
    assert_eq!(usize::try_from(response).expect("a small number"), with, "{category}");
    let area = number(found, "/auroc/estimate");
    assert!((0.5..1.0).contains(&area), "{category}: {area}");
}
