//! The AUROC where patients have several cases.

use fedval_stats::aggregate::rank_sums;
use fedval_stats::auroc;
use serde_json::{Value, json};

use super::columns::ranked;
use crate::input::{Input, Malformed};
use crate::output::cell;

pub(super) fn answer(input: &Input<'_>) -> Result<Value, Malformed> {
    let (scores, labels) = (input.at("score")?.numbers()?, input.at("label")?.flags()?);
    let clusters = input.at("cluster")?.counts()?;
    let (sums, clusters) = rank_sums(&ranked(&scores, &labels, Some(&clusters)));
    let estimate = auroc::clustered(&sums, &clusters);
    let components = auroc::cluster_components(&sums, &clusters);
    Ok(json!({
        "n_pos": sums.n_pos,
        "n_neg": sums.n_neg,
        "clusters": clusters.clusters,
        "clusters_pos": clusters.clusters_pos,
        "clusters_neg": clusters.clusters_neg,
        "auc": cell(auroc::auc_of(&sums)),
        "s10": cell(components.map(|components| components.s10)),
        "s01": cell(components.map(|components| components.s01)),
        "s11": cell(components.map(|components| components.s11)),
        "var": cell(components.map(|components| components.variance)),
        "se": cell(estimate.map(|auroc| auroc.se)),
        "naive_delong_se": cell(auroc::delong(&sums).map(|auroc| auroc.se)),
    }))
}
