//! The study that a round runs.

use std::path::Path;

use crate::network::{INPUT, OUTPUT, SIDE};

/// The text of a study file whose model lies at `model`.
#[must_use]
pub fn text(id: &str, model: &Path) -> String {
    let model = model.display();
    format!(
        "id = \"{id}\"\n\
         title = \"A round with a clock\"\n\
         target_condition = \"none\"\n\
         [model]\nname = \"random perceptron\"\nfile = \"{model}\"\n\
         [model.input]\nname = \"{INPUT}\"\nlayout = \"nchw\"\nheight = {SIDE}\nwidth = {SIDE}\n\
         channels = 1\nscaling = \"unit\"\nresize = \"refuse\"\nmonochrome1 = \"invert\"\n\
         [model.output]\nname = \"{OUTPUT}\"\nscale = \"probability\"\n\
         [reference_standard]\ndescription = \"tossed\"\npositive = [\"1\"]\nnegative = [\"0\"]\n\
         [analysis]\nunit = \"patient\"\ncombine = \"mean\"\n\
         [[operating_points]]\nname = \"half\"\nthreshold = 0.5\n\
         [[endpoints]]\nname = \"discrimination\"\nmetric = \"auroc\"\nlimit = 0.8\n\
         [disclosure]\nk = 11\n"
    )
}
