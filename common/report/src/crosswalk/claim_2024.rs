//! The items of CLAIM 2024, in our own words.
//!
//! Source: Tejani AS et al. Radiol Artif Intell 2024;6(4):e240300.

use super::{Answer, Clause, Guideline, Item, Passage};

pub(super) const GUIDELINE: Guideline = Guideline {
    name: "CLAIM 2024",
    citation: "Tejani AS et al. Radiol Artif Intell 2024;6(4):e240300",
    items: ITEMS,
};

const ITEMS: &[Item] = &[
    Item {
        id: "1",
        asks: "title says AI, and which kind",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "2",
        asks: "abstract with design, methods, findings and conclusions",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "3",
        asks: "background, intended use and role of the AI",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "4",
        asks: "what the study wants to find out",
        answer: Answer::Printed(Passage::Endpoints),
    },
    Item {
        id: "5",
        asks: "whether data were collected forwards or backwards in time",
        answer: Answer::Elsewhere("the sponsor and each site's data documentation"),
    },
    Item {
        id: "6",
        asks: "kind of study, its goal, and the task",
        answer: Answer::Printed(Passage::Subject),
    },
    Item { id: "7", asks: "where the data came from", answer: Answer::Printed(Passage::Analysed) },
    Item {
        id: "8",
        asks: "who and what was let in or kept out",
        answer: Answer::Printed(Passage::Eligibility),
    },
    Item {
        id: "9",
        asks: "preparation of images before the model",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "10",
        asks: "parts of the raw data that were picked, and how",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "11",
        asks: "how identities were removed",
        answer: Answer::Printed(Passage::DisclosureControl),
    },
    Item {
        id: "12",
        asks: "what was done about missing data",
        answer: Answer::Printed(Passage::Attrition),
    },
    Item {
        id: "13",
        asks: "how images were acquired: devices and settings",
        answer: Answer::Elsewhere("each site's imaging protocols"),
    },
    Item {
        id: "14",
        asks: "how the reference standard was made",
        answer: Answer::Printed(Passage::ReferenceStandard),
    },
    Item {
        id: "15",
        asks: "why that reference standard and no other",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "16",
        asks: "who annotated, with what qualification",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "17",
        asks: "how test cases were annotated: steps, tools",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "18",
        asks: "agreement between and within annotators",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "19",
        asks: "division into training, tuning and test data",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "20",
        asks: "what keeps the divisions apart: patient, series, image",
        answer: Answer::Elsewhere("the development study's report and the sites"),
    },
    Item {
        id: "21",
        asks: "planned number of test cases, with reason",
        answer: Answer::Elsewhere("the sponsor's study plan"),
    },
    Item {
        id: "22",
        asks: "architecture, layer by layer",
        answer: Answer::Elsewhere("the development study's report or the model's manufacturer"),
    },
    Item { id: "23", asks: "software with versions", answer: Answer::Printed(Passage::Software) },
    Item {
        id: "24",
        asks: "starting values of the weights",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "25",
        asks: "training: procedure, augmentation, hyperparameters",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "26",
        asks: "how the best model was picked",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "27",
        asks: "combining several models into one",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "28",
        asks: "which measures of performance, and why",
        answer: Answer::Printed(Passage::Endpoints),
    },
    Item {
        id: "29",
        asks: "intervals, tests, and statistics software",
        answer: Answer::Printed(Passage::Synthesis),
    },
    Item {
        id: "30",
        asks: "how results hold when inputs or assumptions change",
        answer: Answer::Elsewhere("a perturbation study by the sponsor or developer"),
    },
    Item {
        id: "31",
        asks: "means of explaining the output, and their validation",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "32",
        asks: "results on data from the developers' own source",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "33",
        asks: "tests on data from elsewhere",
        answer: Answer::Printed(Passage::Performance),
    },
    Item {
        id: "34",
        asks: "registry entry, where it is a trial",
        answer: Answer::Elsewhere("the sponsor's registry entry"),
    },
    Item {
        id: "35",
        asks: "how many were included and excluded, as a flow chart",
        answer: Answer::Printed(Passage::Flow),
    },
    Item {
        id: "36",
        asks: "patients' features in every division",
        answer: Answer::Printed(Passage::Mix),
    },
    Item {
        id: "37",
        asks: "results against the reference, all data sets, demographic groups",
        answer: Answer::Printed(Passage::Performance),
    },
    Item {
        id: "38",
        asks: "diagnostic accuracy with intervals, curves, best and worst groups",
        answer: Answer::Printed(Passage::Performance),
    },
    Item {
        id: "39",
        asks: "a look at wrong results: table and examples",
        answer: Answer::Elsewhere(
            "the sites, whom single cases do not leave; counts of wrong calls are under Performance at each site",
        ),
    },
    Item { id: "40", asks: "weaknesses of the study", answer: Answer::Printed(Passage::Limits) },
    Item {
        id: "41",
        asks: "what it means for practice; intended use",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "42",
        asks: "pointer to the protocol or technical detail",
        answer: Answer::Printed(Passage::Protocol),
    },
    Item {
        id: "43",
        asks: "access to software, model and data",
        answer: Answer::Printed(Passage::Data),
    },
    Item {
        id: "44",
        asks: "who paid, and what they influenced",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
];
