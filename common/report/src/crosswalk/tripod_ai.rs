//! The items of TRIPOD+AI, in our own words.
//!
//! Source: Collins GS et al. BMJ 2024;385:e078378.

use super::{Answer, Clause, Guideline, Item, Passage};

pub(super) const GUIDELINE: Guideline = Guideline {
    name: "TRIPOD+AI",
    citation: "Collins GS et al. BMJ 2024;385:e078378",
    items: ITEMS,
};

const ITEMS: &[Item] = &[
    Item {
        id: "1",
        asks: "says it evaluates a prediction model, for whom, and what it predicts",
        answer: Answer::Printed(Passage::Subject),
    },
    Item {
        id: "2",
        asks: "abstract that follows the guideline's own abstract checklist",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "3a",
        asks: "clinical context, diagnosis or prognosis, why this study, which models exist",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "3b",
        asks: "intended patients, purpose, users, and place in care",
        answer: Answer::Elsewhere("the sponsor's manuscript or the instructions for use"),
    },
    Item {
        id: "3c",
        asks: "health differences already known between social and demographic groups",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "4",
        asks: "aims, and whether a model is built, tested, or both",
        answer: Answer::Printed(Passage::Endpoints),
    },
    Item {
        id: "5a",
        asks: "where development and test data came from, why, and how typical",
        answer: Answer::Elsewhere("each site's data documentation; the development study's report"),
    },
    Item {
        id: "5b",
        asks: "first and last dates of patients; end of follow-up",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "6a",
        asks: "level of care, how many centres, and where",
        answer: Answer::Elsewhere("each site's description: level of care and location"),
    },
    Item { id: "6b", asks: "who could take part", answer: Answer::Printed(Passage::Eligibility) },
    Item {
        id: "6c",
        asks: "treatments patients had, and what was done about them",
        answer: Answer::Elsewhere("each site's data documentation"),
    },
    Item {
        id: "7",
        asks: "preparation and quality control of data, alike across social groups",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "8a",
        asks: "definition of the outcome: how, when, why, same for all groups",
        answer: Answer::Printed(Passage::ReferenceStandard),
    },
    Item {
        id: "8b",
        asks: "skills and background of those who judged the outcome",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "8c",
        asks: "whether those who judged the outcome were kept blind",
        answer: Answer::Elsewhere("the sites that established the reference standard"),
    },
    Item {
        id: "9a",
        asks: "how candidate predictors were picked before modelling",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "9b",
        asks: "each predictor, how and when measured, blinding",
        answer: Answer::Protocol(Clause::Input),
    },
    Item {
        id: "9c",
        asks: "skills and background of those who judged predictors",
        answer: Answer::Elsewhere("nobody judges a predictor: the model reads the images itself"),
    },
    Item {
        id: "10",
        asks: "why the study was this large, and large enough",
        answer: Answer::Elsewhere("the sponsor's study plan and the development study's report"),
    },
    Item {
        id: "11",
        asks: "what was done about missing data; why cases were dropped",
        answer: Answer::Printed(Passage::Attrition),
    },
    Item {
        id: "12a",
        asks: "how data were split and used for building and testing",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "12b",
        asks: "form, scaling and transformation of predictors while building",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "12c",
        asks: "kind of model, building steps, tuning, internal validation",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "12d",
        asks: "how differences between clusters such as hospitals were measured",
        answer: Answer::Printed(Passage::Synthesis),
    },
    Item {
        id: "12e",
        asks: "every performance measure and plot, with reasons",
        answer: Answer::Printed(Passage::Synthesis),
    },
    Item {
        id: "12f",
        asks: "any recalibration or change of the model after testing",
        answer: Answer::Printed(Passage::Model),
    },
    Item {
        id: "12g",
        asks: "how predictions were produced in the test",
        answer: Answer::Protocol(Clause::Model),
    },
    Item {
        id: "13",
        asks: "whether and why classes were rebalanced, and recalibration after",
        answer: Answer::Elsewhere("the development study's report"),
    },
    Item {
        id: "14",
        asks: "what was done towards fairness, and why",
        answer: Answer::Printed(Passage::Gaps),
    },
    Item {
        id: "15",
        asks: "form of the output; how thresholds were chosen",
        answer: Answer::Protocol(Clause::Output),
    },
    Item {
        id: "16",
        asks: "how test data differ from development data",
        answer: Answer::Elsewhere("the sponsor, from the development study's report"),
    },
    Item {
        id: "17",
        asks: "ethics committee, and consent or its waiver",
        answer: Answer::Elsewhere("the sponsor and each site's ethics committee"),
    },
    Item {
        id: "18a",
        asks: "who paid, and what they influenced",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "18b",
        asks: "authors' competing interests",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "18c",
        asks: "where to find the protocol",
        answer: Answer::Printed(Passage::Protocol),
    },
    Item {
        id: "18d",
        asks: "registry and number, or that there is none",
        answer: Answer::Elsewhere("the sponsor's registry entry"),
    },
    Item {
        id: "18e",
        asks: "whether study data can be had",
        answer: Answer::Printed(Passage::Data),
    },
    Item {
        id: "18f",
        asks: "whether the analysis code can be had",
        answer: Answer::Printed(Passage::Code),
    },
    Item {
        id: "19",
        asks: "part that patients and public played, or none",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "20a",
        asks: "patient flow, with and without the outcome",
        answer: Answer::Printed(Passage::Flow),
    },
    Item {
        id: "20b",
        asks: "patients' characteristics overall and per site, events, missing data",
        answer: Answer::Printed(Passage::Mix),
    },
    Item {
        id: "20c",
        asks: "predictors and outcome beside those of the development data",
        answer: Answer::Elsewhere("the sponsor, from the development study's report"),
    },
    Item {
        id: "21",
        asks: "patients and events in each analysis",
        answer: Answer::Printed(Passage::Analysed),
    },
    Item {
        id: "22",
        asks: "the whole model, so that others can run it; access limits",
        answer: Answer::Elsewhere("the development study's report or the model's manufacturer"),
    },
    Item {
        id: "23a",
        asks: "performance with intervals, also in key subgroups",
        answer: Answer::Printed(Passage::Performance),
    },
    Item {
        id: "23b",
        asks: "results on differences between clusters",
        answer: Answer::Printed(Passage::Synthesis),
    },
    Item { id: "24", asks: "results of an updated model", answer: Answer::Printed(Passage::Model) },
    Item {
        id: "25",
        asks: "what the results mean, fairness included, beside earlier studies",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
    Item {
        id: "26",
        asks: "weaknesses, and what they do to bias, uncertainty, reach",
        answer: Answer::Printed(Passage::Limits),
    },
    Item {
        id: "27a",
        asks: "what to do in use with poor or absent input",
        answer: Answer::Elsewhere("the model's instructions for use"),
    },
    Item {
        id: "27b",
        asks: "whether users handle input or model; skill they need",
        answer: Answer::Elsewhere("the model's instructions for use"),
    },
    Item {
        id: "27c",
        asks: "further research, seen from where the model applies",
        answer: Answer::Elsewhere("the sponsor's manuscript"),
    },
];
