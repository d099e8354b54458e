//! The items of STARD-AI, in our own words.
//!
//! Source: Sounderajah V et al. Nat Med 2025;31:3283–3289.

use super::{Answer, Clause, Guideline, Item, Passage};

pub(super) const GUIDELINE: Guideline = Guideline {
    name: "STARD-AI",
    citation: "Sounderajah V et al. Nat Med 2025;31:3283–3289",
    items: ITEMS,
};

const ITEMS: &[Item] = &[
    Item {
        id: "1",
        asks: "title or abstract names AI diagnostic accuracy and one measure",
        answer: Answer::Printed(Passage::MainResult),
    },
    Item {
        id: "2",
        asks: "structured abstract",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "3",
        asks: "background, intended use, new or established test, place in workflow",
        answer: Answer::Elsewhere("the sponsor's manuscript or the instructions for use"),
    },
    Item { id: "4", asks: "aims and hypotheses", answer: Answer::Printed(Passage::Endpoints) },
    Item {
        id: "5",
        asks: "data gathered before or after both tests were planned",
        answer: Answer::Elsewhere("the sponsor and each site's data documentation"),
    },
    Item {
        id: "6",
        asks: "ethics approval, or why none was needed",
        answer: Answer::Elsewhere("the sponsor and each site's ethics committee"),
    },
    Item {
        id: "7",
        asks: "criteria for patients and for data, in their order",
        answer: Answer::Printed(Passage::Eligibility),
    },
    Item {
        id: "8",
        asks: "why a patient came into consideration",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "9",
        asks: "settings, places and dates of recruitment",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "10",
        asks: "consecutive, random, or convenient sampling",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "11",
        asks: "data's origin: routine care, for this study, or public",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "12",
        asks: "annotators, their experience, and when they annotated",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "13",
        asks: "makes and models of devices; software behind the test",
        answer: Answer::Elsewhere(
            "each site's imaging protocols; where the protocol has a dimension of devices, their mix is under Sites and participants",
        ),
    },
    Item {
        id: "14",
        asks: "how images were acquired and prepared",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "15a",
        asks: "the AI test, repeatable from its description",
        answer: Answer::Protocol(Clause::Model),
    },
    Item {
        id: "15b",
        asks: "how the test was trained and tested before, with sizes",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "15c",
        asks: "the test's cut-offs, why, and whether fixed beforehand",
        answer: Answer::Printed(Passage::CutOffs),
    },
    Item {
        id: "15d",
        asks: "who shall use the test, with what expertise",
        answer: Answer::Elsewhere("the model's instructions for use"),
    },
    Item {
        id: "16a",
        asks: "the reference standard, repeatable from its description",
        answer: Answer::Printed(Passage::ReferenceStandard),
    },
    Item {
        id: "16b",
        asks: "why this reference standard",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "16c",
        asks: "the reference standard's categories, why, and whether fixed beforehand",
        answer: Answer::Protocol(Clause::ReferenceStandard),
    },
    Item {
        id: "17a",
        asks: "whether the AI test saw clinical data or the reference",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "17b",
        asks: "whether reference assessors saw clinical data or AI results",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "18",
        asks: "statistical methods for accuracy",
        answer: Answer::Printed(Passage::Synthesis),
    },
    Item {
        id: "19",
        asks: "what was done with unclear results of either test",
        answer: Answer::Printed(Passage::Attrition),
    },
    Item {
        id: "20",
        asks: "what was done with absent results of either test",
        answer: Answer::Printed(Passage::Attrition),
    },
    Item {
        id: "21",
        asks: "analyses of varying accuracy, planned or exploratory",
        answer: Answer::Printed(Passage::Subgroups),
    },
    Item {
        id: "22",
        asks: "planned size and its basis",
        answer: Answer::Elsewhere("the sponsor's study plan"),
    },
    Item {
        id: "23",
        asks: "methods of examining errors, bias and fairness",
        answer: Answer::Printed(Passage::Gaps),
    },
    Item { id: "24", asks: "flow chart of patients", answer: Answer::Printed(Passage::Flow) },
    Item {
        id: "25",
        asks: "baseline features of training, tuning and test sets",
        answer: Answer::Printed(Passage::Mix),
    },
    Item {
        id: "26a",
        asks: "severity among those with the condition",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "26b",
        asks: "other diagnoses among those without it",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "27",
        asks: "time and treatment between the two tests",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "28",
        asks: "whether data mirror the condition's spread in intended patients",
        answer: Answer::Elsewhere("the sponsor, who knows the intended population"),
    },
    Item {
        id: "29",
        asks: "how the external data differ from earlier sets",
        answer: Answer::Elsewhere("the sponsor, from the development study's report"),
    },
    Item {
        id: "30",
        asks: "AI results tabulated against the reference",
        answer: Answer::Printed(Passage::Counts),
    },
    Item {
        id: "31",
        asks: "accuracy with its uncertainty",
        answer: Answer::Printed(Passage::Performance),
    },
    Item {
        id: "32",
        asks: "harm from either test",
        answer: Answer::Elsewhere("the sponsor and the sites"),
    },
    Item {
        id: "33",
        asks: "weaknesses: bias, uncertainty, reach",
        answer: Answer::Printed(Passage::Limits),
    },
    Item {
        id: "34",
        asks: "what it means for practice and the test's role",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "35",
        asks: "ethics of using the test, and fairness",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "36",
        asks: "registry and number",
        answer: Answer::Elsewhere("the sponsor's registry entry"),
    },
    Item {
        id: "37",
        asks: "where to find the whole protocol",
        answer: Answer::Printed(Passage::Protocol),
    },
    Item {
        id: "38",
        asks: "who paid, and what they influenced",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "39",
        asks: "commercial interests",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "40a",
        asks: "access to data and code, with limits on reuse",
        answer: Answer::Printed(Passage::Data),
    },
    Item {
        id: "40b",
        asks: "outputs kept and open to audit",
        answer: Answer::Printed(Passage::Code),
    },
];
